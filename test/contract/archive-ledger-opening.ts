import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import type { ArchiveSchedule } from '../../src/archive/model.ts'
import type { ArchiveLedger } from '../../src/archive/ports.ts'

const calendar = { unit: 'day', timeZone: 'Europe/Berlin' } as const
const start = new Date('2026-03-27T23:00:00Z')
const now = new Date('2026-04-01T12:00:00Z')
const later = new Date('2027-01-01T00:00:00Z')

/** How archives come into a ledger. */
export function describeOpening(getLedger: () => ArchiveLedger): void {
  /** An archive of its own, opened by a worker. */
  async function setup() {
    const ledger = getLedger()
    const archive = `archive-${randomUUID()}`
    const schedule: ArchiveSchedule = {
      ...{ name: archive, calendar, start: undefined, settleMs: 7_200_000 },
    }
    await ledger.open(schedule, now)
    const listed = async () => (await ledger.listArchives()).find(({ name }) => name === archive)
    return { ledger, archive, schedule, listed }
  }

  it('knows when an archive was entered first, and how it is kept now', async () => {
    const { ledger, schedule, listed } = await setup()
    expect(await listed()).toEqual({ ...schedule, enteredAt: now })
    for (const changed of [
      { ...schedule, start, settleMs: 60_000 },
      { ...schedule, start },
      { ...schedule, start: later },
      schedule,
      schedule,
    ]) {
      const again = await ledger.open(changed, later)
      expect(again).toEqual({ ...changed, enteredAt: now })
      expect(await listed()).toEqual(again)
    }
  })

  it('leaves an archive that is entered as it is to whoever only fills it', async () => {
    const { ledger, schedule, listed } = await setup()
    const changed = { ...schedule, start, settleMs: 60_000 }
    expect(await ledger.enter(changed, later)).toEqual({ ...schedule, enteredAt: now })
    expect(await listed()).toEqual({ ...schedule, enteredAt: now })
  })

  it('enters an archive that is not there, also for who only fills it', async () => {
    const { ledger, schedule } = await setup()
    const other = { ...schedule, name: `archive-${randomUUID()}`, start }
    const entered = await Promise.all([ledger.enter(other, now), ledger.enter(other, now)])
    expect(entered).toEqual(Array(2).fill({ ...other, enteredAt: now }))
    expect(await ledger.open(other, later)).toEqual({ ...other, enteredAt: now })
  })

  it('lists archives by name', async () => {
    for (let n = 0; n < 3; n++) await setup()
    const names = (await getLedger().listArchives()).map(({ name }) => name)
    expect(names.length).toBeGreaterThanOrEqual(3)
    expect(names).toEqual([...names].sort())
  })

  it.each([
    ['unit', { ...calendar, unit: 'hour' }],
    ['time zone', { ...calendar, timeZone: 'UTC' }],
  ] as const)('refuses an archive with another %s', async (_what, other) => {
    const { ledger, schedule, listed } = await setup()
    const changed = { ...schedule, calendar: other }
    for (const each of [changed, { ...changed, settleMs: 1 }]) {
      const refusal = { code: 'ARCHIVE_CALENDAR' }
      await expect(ledger.open(each, now)).rejects.toMatchObject(refusal)
      await expect(ledger.enter(each, now)).rejects.toMatchObject(refusal)
    }
    expect(await listed()).toMatchObject(schedule)
  })
}
