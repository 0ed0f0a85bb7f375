import { beforeAll, describe, expect, it } from 'vitest'
import { startOfDate, windowsFrom } from '../../src/archive/calendar.ts'
import type { ArchiveSchedule, CalendarWindow, WindowRequest } from '../../src/archive/model.ts'
import type { ArchiveLedger } from '../../src/archive/ports.ts'
import { readSummaries } from '../../src/archive/summary.ts'
import { createDice } from '../support/dice.ts'
import { countOneByOne, facts, fillAtRandom } from '../support/random-ledger.ts'
import type { Release } from '../support/release.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'

interface Made {
  readonly ledger: ArchiveLedger
  readonly createExport: () => Promise<string>
}

const timeZone = 'Europe/Berlin'
const start = startOfDate('2026-03-20', timeZone)!
const begin = start.getTime()
const dayMs = 86_400_000
const request: WindowRequest = {
  ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
  ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
}
const error = { code: 'SOURCE_TIMEOUT', message: 'too slow', retryable: true }
const none = { archived: 0, planned: 0, running: 0, failed: 0, deleted: 0, missing: 0, settling: 0 }

/** Counting without a list, on a ledger that holds nothing else. */
export function describeSummary(make: (release: Release) => Promise<Made>): void {
  describe('the summary of an archive', () => {
    let made: Made
    const release = releaseAfterAll()
    beforeAll(async () => {
      made = await make(release)
    })

    async function enter(name: string, unit: 'day' | 'hour', settleMs = 7_200_000) {
      const archive: ArchiveSchedule = { name, calendar: { unit, timeZone }, start, settleMs }
      await made.ledger.open(archive, start)
      const at = async (now: Date) => {
        const summaries = await readSummaries(made.ledger, now)
        return summaries.find((each) => each.archive.name === name)!
      }
      return { archive, at }
    }
    const days = (count: number) => {
      const windows = windowsFrom({ unit: 'day', timeZone }, start)
      return Array.from({ length: count }, () => windows.next().value as CalendarWindow)
    }

    it('counts what was never planned, and finds where', async () => {
      const { at } = await enter('empty', 'day')
      const now = new Date(begin + 3 * dayMs + 3_600_000)
      expect(facts(await at(now))).toEqual({
        counts: { ...none, missing: 2, settling: 1 },
        ...{ gaps: ['2026-03-20 2026-03-21 2'], failed: [] },
      })
      expect(facts(await at(start))).toEqual({ counts: none, gaps: [], failed: [] })
    })

    it('counts a window once, by its latest archived generation, else by its latest', async () => {
      const { at } = await enter('generations', 'day')
      const { ledger, createExport } = made
      const now = new Date(begin + 10 * dayMs)
      const [first, second, third, fourth] = days(4)
      const key = (from: Date, generation: number) => ({ archive: 'generations', from, generation })
      for (const generation of [1, 2, 3]) {
        for (const each of [first!, second!]) {
          await ledger.plan(key(each.from, generation), each, request)
        }
      }
      await ledger.adopt(key(first!.from, 2), now)
      const id = await createExport()
      await ledger.begin(key(second!.from, 3), id)
      // of a window that is archived no failure counts
      await ledger.fail(key(first!.from, 3), undefined, { error, retryAt: now })
      await ledger.fail(key(second!.from, 1), undefined, { error, retryAt: now })
      await ledger.plan(key(fourth!.from, 1), fourth!, request)
      await ledger.fail(key(fourth!.from, 1), undefined, { error, retryAt: now })
      const summary = await at(now)
      expect(facts(summary)).toEqual({
        counts: { ...none, archived: 1, running: 1, failed: 1, missing: 6, settling: 1 },
        gaps: [`${third!.name} ${third!.name} 1`, '2026-03-24 2026-03-28 5'],
        failed: [`${fourth!.name} 1`],
      })
      expect(summary.failed[0]).toEqual(await ledger.get(key(fourth!.from, 1)))
    })

    it.each(['day', 'hour'] as const)(
      'by the %s says what a list says, wherever windows are, and across a change of clocks',
      async (unit) => {
        const dice = createDice(3)
        for (const [round, settleMs] of [0, 7_200_000, 3 * dayMs].entries()) {
          const { archive, at } = await enter(`random-${unit}-${round}`, unit, settleMs)
          const reach = unit === 'day' ? 60 : 12
          const from = new Date(begin - round * dayMs)
          const to = new Date(begin + reach * dayMs)
          const { ledger, createExport } = made
          await fillAtRandom(ledger, archive, { dice, from, to, request, createExport })
          for (let look = 0; look < 4; look++) {
            const now = new Date(begin + dice.between(-24, reach * 28) * 3_600_000)
            const summary = await at(now)
            expect(facts(summary)).toEqual(await countOneByOne(ledger, summary.archive, now))
          }
        }
      },
    )
  })
}
