import { expect, it } from 'vitest'
import type { CalendarWindow, WindowState } from '../../src/archive/model.ts'
import type { ArchiveLedger, RetentionLedger, WindowKey } from '../../src/archive/ports.ts'

type ArchivedState = Exclude<WindowState, 'deleted'>

interface Bundle {
  readonly ledger: ArchiveLedger
  readonly retention: RetentionLedger
  readonly archive: string
  readonly keyAt: (nth: number, generation?: number) => WindowKey
  readonly lead: (nth: number, state: ArchivedState, generation?: number) => Promise<void>
}

const now = new Date('2026-04-01T12:00:00Z')
const later = new Date('2026-04-02T12:00:00Z')
const deletion = { at: now, reason: 'too old' }

/** What a retention ledger lists of the windows of an archive. */
export function describeRetentionLists(
  setup: (states?: readonly ArchivedState[]) => Promise<Bundle>,
  dayAt: (nth: number) => CalendarWindow,
): void {
  it('lists what is archived and over page by page, with all generations', async () => {
    const states = ['failed', 'archived', 'archived', 'archived', 'archived', 'archived'] as const
    const { retention, archive, keyAt, lead } = await setup(states)
    await lead(1, 'planned', 2)
    await retention.markDeleted(keyAt(2), deletion)
    const list = async (after: Date | undefined, limit: number) => {
      const page = { after, until: dayAt(4).to, limit }
      const found = await retention.listArchived(archive, page)
      return found.map(({ name: day, generation }) => `${day} ${generation}`)
    }
    const first = ['2026-03-02 1', '2026-03-02 2', '2026-03-04 1']
    expect(await list(undefined, 2)).toEqual(first)
    expect(await list(dayAt(3).from, 2)).toEqual(['2026-03-05 1'])
    expect(await list(dayAt(4).from, 2)).toEqual([])
    expect(await list(undefined, 10)).toEqual([...first, '2026-03-05 1'])
  })

  it('knows the newest archived window', async () => {
    const { retention, archive, lead } = await setup(['archived', 'archived', 'failed', 'planned'])
    await lead(1, 'failed', 2)
    const newest = { name: '2026-03-02', generation: 1 }
    expect(await retention.newestArchived(archive)).toMatchObject(newest)
    expect(await retention.newestArchived((await setup(['failed'])).archive)).toBeUndefined()
  })

  it('lists what may be left of deleted windows until nothing is', async () => {
    const { ledger, retention, archive, keyAt } = await setup(['archived', 'archived'])
    for (const nth of [0, 1]) await retention.markDeleted(keyAt(nth), deletion)
    const names = async () => (await retention.listUnremoved(archive)).map(({ name: day }) => day)
    expect(await names()).toEqual(['2026-03-01', '2026-03-02'])
    await retention.markRemoved(keyAt(0), later)
    await retention.markRemoved(keyAt(0), now)
    expect(await names()).toEqual(['2026-03-02'])
    expect(await ledger.get(keyAt(0))).toMatchObject({ removedAt: later })
  })
}
