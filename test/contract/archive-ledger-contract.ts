import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { windowsFrom } from '../../src/archive/calendar.ts'
import type { CalendarWindow, WindowRequest } from '../../src/archive/model.ts'
import type { ArchiveLedger } from '../../src/archive/ports.ts'
import type { Release } from '../support/release.ts'
import { describeOpening } from './archive-ledger-opening.ts'
import { describeArchiveSurvey } from './archive-ledger-survey.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { describeSummary } from './archive-ledger-summary.ts'

export interface LedgerUnderTest {
  readonly ledger: ArchiveLedger
  /** Id of an export that is there. */
  readonly createExport: () => Promise<string>
}

const calendar = { unit: 'day', timeZone: 'Europe/Berlin' } as const
const start = new Date('2026-03-27T23:00:00Z')
const now = new Date('2026-04-01T12:00:00Z')
const request: WindowRequest = {
  ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
  ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
}
const error = { code: 'SOURCE_TIMEOUT', message: 'too slow', retryable: true }

/** Five days, one of them of 23 hours. */
const days: readonly CalendarWindow[] = [0, 1, 2, 3, 4].map((nth) => {
  const windows = windowsFrom(calendar, start)
  for (let n = 0; n < nth; n++) windows.next()
  return windows.next().value as CalendarWindow
})

/** What every implementation of ArchiveLedger does. */
export function describeArchiveLedger(
  name: string,
  make: (release: Release) => Promise<LedgerUnderTest>,
): void {
  describe(name, () => {
    let made: LedgerUnderTest
    const release = releaseAfterAll()
    beforeAll(async () => {
      made = await make(release)
    })

    const plan = (archive: string, window: CalendarWindow, generation: number) =>
      made.ledger.plan({ archive, from: window.from, generation }, window, request)

    /** An archive of its own, with the first day planned. */
    async function entered() {
      const { ledger, createExport } = made
      const archive = `archive-${randomUUID()}`
      const schedule = { name: archive, calendar, start: undefined, settleMs: 7_200_000 }
      await ledger.open(schedule, now)
      await plan(archive, days[0]!, 1)
      const key = { archive, from: days[0]!.from, generation: 1 }
      return { ledger, archive, schedule, key, createExport }
    }

    it('covers nothing where no window begins at the start', async () => {
      const { ledger, archive } = await entered()
      const before = new Date('2026-01-01T23:00:00Z')
      expect(await ledger.coveredUntil(archive, before)).toEqual(before)
      expect(await ledger.coveredUntil(`${archive}-other`, start)).toEqual(start)
    })

    it('covers what follows without a gap, and is not misled by what lies beyond one, or before', async () => {
      const { ledger, archive } = await entered()
      await plan(archive, days[1]!, 1)
      await plan(archive, days[3]!, 1)
      await plan(archive, days[1]!, 2)
      expect(await ledger.coveredUntil(archive, start)).toEqual(days[1]!.to)
      expect(await ledger.coveredUntil(archive, days[1]!.from)).toEqual(days[1]!.to)
      await plan(archive, days[2]!, 1)
      expect(await ledger.coveredUntil(archive, start)).toEqual(days[3]!.to)
    })

    it('plans a window once, and a generation of it once', async () => {
      const { ledger, archive, key } = await entered()
      expect(await plan(archive, days[0]!, 1)).toBe(false)
      const changed = { ...request, export_content: false }
      expect(await ledger.plan(key, days[0]!, changed)).toBe(false)
      expect(await plan(archive, days[0]!, 2)).toBe(true)
      const facts = { ...days[0]!, archive, request, state: 'planned', tries: 0 }
      expect(await ledger.get(key)).toEqual({ ...facts, generation: 1 })
      expect(await ledger.get({ ...key, generation: 2 })).toEqual({ ...facts, generation: 2 })
      expect(await ledger.get({ ...key, generation: 3 })).toBeUndefined()
    })

    it('lists what begins in a range, oldest first, with all generations', async () => {
      const { ledger, archive } = await entered()
      for (const n of [3, 1, 2]) await plan(archive, days[n]!, 1)
      await plan(archive, days[1]!, 2)
      const found = await ledger.listWindows(archive, { from: days[1]!.from, to: days[3]!.from })
      expect(found.map(({ name, generation }) => `${name} ${generation}`)).toEqual([
        '2026-03-29 1',
        '2026-03-29 2',
        '2026-03-30 1',
      ])
    })

    it('lists what is open, oldest first', async () => {
      const { ledger, archive, key, createExport } = await entered()
      for (const n of [3, 1, 2]) await plan(archive, days[n]!, 1)
      await ledger.begin({ ...key, from: days[1]!.from }, await createExport())
      const id = await createExport()
      await ledger.begin({ ...key, from: days[2]!.from }, id)
      await ledger.finish({ ...key, from: days[2]!.from }, id, now)
      const open = await ledger.listOpen(archive)
      expect(open.map((window) => `${window.name} ${window.state}`)).toEqual([
        '2026-03-28 planned',
        '2026-03-29 running',
        '2026-03-31 planned',
      ])
    })

    it('begins a planned window once', async () => {
      const { ledger, key, createExport } = await entered()
      const [first, second] = [await createExport(), await createExport()]
      const begun = await Promise.all([ledger.begin(key, first), ledger.begin(key, second)])
      expect(begun.filter(Boolean)).toHaveLength(1)
      const exportId = begun[0] ? first : second
      expect(await ledger.get(key)).toMatchObject({ state: 'running', exportId, tries: 1 })
    })

    it('finishes a window by the export that runs for it, and by no other', async () => {
      const { ledger, key, createExport } = await entered()
      const [id, other] = [await createExport(), await createExport()]
      expect(await ledger.finish(key, id, now)).toBe(false)
      await ledger.begin(key, id)
      expect(await ledger.finish(key, other, now)).toBe(false)
      expect(await ledger.finish(key, id, now)).toBe(true)
      expect(await ledger.finish(key, id, now)).toBe(false)
      expect(await ledger.fail(key, id, { error, retryAt: now })).toBe(false)
      expect(await ledger.get(key)).toMatchObject({ state: 'archived', archivedAt: now })
    })

    it('plans a failed window again when its time has come', async () => {
      const { ledger, archive, key, createExport } = await entered()
      const [id, other] = [await createExport(), await createExport()]
      await ledger.begin(key, id)
      expect(await ledger.fail(key, other, { error, retryAt: now })).toBe(false)
      expect(await ledger.fail(key, id, { error, retryAt: now })).toBe(true)
      expect(await ledger.get(key)).toMatchObject({ state: 'failed', error, retryAt: now })
      expect(await ledger.retryFailed(archive, { dueBy: new Date(now.getTime() - 1) })).toBe(0)
      expect(await ledger.retryFailed(archive, { dueBy: now })).toBe(1)
      expect(await ledger.get(key)).toMatchObject({ state: 'planned', error, tries: 1 })
      expect(await ledger.get(key)).not.toHaveProperty('retryAt')
      await ledger.begin(key, other)
      await ledger.finish(key, other, now)
      expect(await ledger.get(key)).toMatchObject({ state: 'archived', tries: 2 })
      expect(await ledger.get(key)).not.toHaveProperty('error')
    })

    it('takes over what is archived already, of a window that is planned or runs', async () => {
      const { ledger, archive, key, createExport } = await entered()
      const id = await createExport()
      await ledger.begin(key, id)
      expect(await ledger.adopt(key, now)).toBe(true)
      expect(await ledger.get(key)).toMatchObject({ state: 'archived', archivedAt: now })
      expect(await ledger.get(key)).not.toHaveProperty('exportId')
      expect(await ledger.adopt(key, now)).toBe(false)
      expect(await ledger.finish(key, id, now)).toBe(false)
      const next = { ...key, from: days[1]!.from }
      await plan(archive, days[1]!, 1)
      expect(await ledger.adopt(next, now)).toBe(true)
      expect(await ledger.get(next)).toMatchObject({ state: 'archived', tries: 0 })
    })

    it('fails a planned window without an export, but no running one', async () => {
      const { ledger, archive, key, createExport } = await entered()
      const id = await createExport()
      expect(await ledger.fail(key, undefined, { error, retryAt: now })).toBe(true)
      expect(await ledger.get(key)).toMatchObject({ state: 'failed', error, tries: 0 })
      await ledger.retryFailed(archive, { dueBy: now })
      await ledger.begin(key, id)
      expect(await ledger.fail(key, undefined, { error, retryAt: now })).toBe(false)
      expect(await ledger.get(key)).toMatchObject({ state: 'running', exportId: id })
    })

    it('leaves what failed without a time alone, until somebody plans it', async () => {
      const { ledger, archive, key } = await entered()
      await ledger.fail(key, undefined, { error })
      expect(await ledger.get(key)).not.toHaveProperty('retryAt')
      expect(await ledger.retryFailed(archive, { dueBy: new Date('2099-01-01T00:00:00Z') })).toBe(0)
      expect(await ledger.retry(key)).toBe(true)
      expect(await ledger.get(key)).toMatchObject({ state: 'planned' })
      expect(await ledger.retry(key)).toBe(false)
    })

    it('plans no failed generation by its range beside one that is archived', async () => {
      const { ledger, archive, key } = await entered()
      await ledger.adopt(key, now)
      const second = { ...key, generation: 2 }
      await plan(archive, days[0]!, 2)
      await ledger.fail(second, undefined, { error, retryAt: now })
      expect(await ledger.retryFailed(archive, { from: start, to: now })).toBe(0)
      expect(await ledger.retryFailed(archive, { dueBy: now })).toBe(1)
      expect(await ledger.get(second)).toMatchObject({ state: 'planned' })
    })

    it('plans the failed windows of a range again at once', async () => {
      const { ledger, archive, key, createExport } = await entered()
      for (const n of [0, 1, 2]) {
        const at = { ...key, from: days[n]!.from }
        await plan(archive, days[n]!, 1)
        const id = await createExport()
        await ledger.begin(at, id)
        await ledger.fail(at, id, { error, retryAt: new Date('2099-01-01T00:00:00Z') })
      }
      const range = { from: days[1]!.from, to: days[2]!.from }
      expect(await ledger.retryFailed(archive, range)).toBe(1)
      const windows = await ledger.listWindows(archive, { from: start, to: now })
      expect(windows.map(({ state }) => state)).toEqual(['failed', 'planned', 'failed'])
    })

    describeOpening(() => made.ledger)
    describeSummary(make)
    describeArchiveSurvey(async () => {
      const { ledger, createExport } = made
      const archive = `archive-${randomUUID()}`
      await ledger.open({ name: archive, calendar, start: undefined, settleMs: 7_200_000 }, now)
      const planDay = async (day: number, generation = 1) => {
        await plan(archive, days[day]!, generation)
        return { archive, from: days[day]!.from, generation }
      }
      return { ledger, archive, days, plan: planDay, createExport }
    })
  })
}
