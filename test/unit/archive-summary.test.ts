import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { startOfDate, windowNamed } from '../../src/archive/calendar.ts'
import { readCoverage } from '../../src/archive/coverage.ts'
import { builtInDefinition } from '../../src/archive/definitions.ts'
import type { WindowUnit } from '../../src/archive/model.ts'
import { listHolds } from '../../src/archive/holds.ts'
import { readSummaries } from '../../src/archive/summary.ts'
import { archiveListSchema } from '../../src/http/archive-schemas.ts'
import { viewArchive } from '../../src/http/archive-view.ts'
import { createDice } from '../support/dice.ts'
import { createMemoryArchiveLedger } from '../support/memory-archive-ledger.ts'
import { countOneByOne, facts, fillAtRandom } from '../support/random-ledger.ts'

const dayMs = 86_400_000
const createExport = () => Promise.resolve(randomUUID())

function setup(unit: WindowUnit, timeZone: string, start: string, settleMinutes = 120) {
  const { request, ...definition } = builtInDefinition({ timeZone, start, settleMinutes })
  return {
    ledger: createMemoryArchiveLedger(),
    request,
    archive: { ...definition, calendar: { unit, timeZone } },
  }
}

describe.each(['hour', 'day', 'month'] as const)('the summary of an archive by the %s', (unit) => {
  it.each([
    ['UTC', '2026-03-01'],
    // clocks are set on these days, or one is left out
    ['Europe/Berlin', '2026-03-25'],
    ['Europe/Berlin', '2026-10-20'],
    ['Africa/Cairo', '2026-04-20'],
    ['Australia/Lord_Howe', '2026-04-01'],
    ['Pacific/Apia', '2011-12-25'],
  ])('says in %s from %s on what coverage lists', async (timeZone, start) => {
    const dice = createDice(11)
    const days = { hour: 8, day: 60, month: 900 }[unit]
    const begin = startOfDate(start, timeZone)!.getTime()
    for (let round = 0; round < 4; round++) {
      const settle = dice.pick([0, 120, 3000, 90_000])
      const { ledger, request, archive } = setup(unit, timeZone, start, settle)
      await ledger.open(archive, new Date(begin))
      // some from before the first window, and some that are not over
      const from = new Date(begin - dice.between(0, 1) * days * (dayMs / 4))
      const to = new Date(begin + days * dayMs)
      await fillAtRandom(ledger, archive, { dice, from, to, request, createExport })
      for (let look = 0; look < 4; look++) {
        const now = new Date(begin + dice.between(-days * 6, days * 26) * 3_600_000)
        const [summary] = await readSummaries(ledger, now)
        const expected = await countOneByOne(ledger, summary!.archive, now)
        expect(facts(summary!)).toEqual(expected)
        const [covered] = await readCoverage(ledger, {}, now)
        const { counts } = summary!
        const sum = Object.values(counts).reduce((all, count) => all + count, 0)
        expect([sum, summary!.first.from]).toEqual([covered!.windows.length, covered!.first])
      }
    }
  })
})

describe('the summary of an archive', () => {
  it('is shown by the API in snake_case, with every state', async () => {
    const { ledger, archive, request } = setup('day', 'Europe/Berlin', '2026-03-27')
    const now = new Date('2026-04-01T12:00:00Z')
    await ledger.open(archive, now)
    const { calendar } = archive
    for (const [name, exportId] of [['2026-03-28'], ['2026-03-31', randomUUID()]] as const) {
      const window = windowNamed(calendar, name)!
      const key = { archive: archive.name, from: window.from, generation: 1 }
      await ledger.plan(key, window, request)
      if (exportId === undefined) await ledger.adopt(key, now)
      else {
        const error = { code: 'SOURCE_TIMEOUT', message: 'slow', retryable: true }
        await ledger.begin(key, exportId)
        await ledger.fail(key, exportId, { error, retryAt: now })
      }
    }
    const { from } = windowNamed(calendar, '2026-03-28')!
    const facts = { archive: archive.name, from, to: undefined, reason: 'audit', placedAt: now }
    await ledger.placeHold(facts)
    const holds = await listHolds({ ledger, retention: ledger }, archive.name)
    const summaries = await readSummaries(ledger, now)
    const views = { archives: summaries.map((summary) => viewArchive(summary, holds)) }
    expect(archiveListSchema.parse(views)).toStrictEqual(views)
    expect(views.archives).toMatchObject([
      {
        ...{ name: 'services', window: 'day', time_zone: 'Europe/Berlin', settle_minutes: 120 },
        ...{ first: '2026-03-27', first_at: '2026-03-26T23:00:00.000Z' },
        counts: {
          ...{ planned: 0, running: 0, archived: 1, failed: 1, deleted: 0 },
          ...{ settling: 0, missing: 3 },
        },
        holds: [
          {
            ...{ id: 1, archive: 'services', from: '2026-03-28', reason: 'audit' },
            placed_at: now.toISOString(),
          },
        ],
        gaps: [
          { first: '2026-03-27', last: '2026-03-27', windows: 1 },
          {
            ...{ first: '2026-03-29', last: '2026-03-30', windows: 2 },
            ...{ time_from: '2026-03-28T23:00:00.000Z', time_to: '2026-03-30T22:00:00.000Z' },
          },
        ],
        failed: [
          {
            ...{ window: '2026-03-31', generation: 1, tries: 1, retry_at: now.toISOString() },
            ...{ time_from: '2026-03-30T22:00:00.000Z', error: { code: 'SOURCE_TIMEOUT' } },
          },
        ],
      },
    ])
  })

  it('has nothing to say before the first window is over', async () => {
    const { ledger, archive } = setup('day', 'Europe/Berlin', '2026-04-01')
    await ledger.open(archive, new Date('2026-03-01T00:00:00Z'))
    for (const now of ['2026-03-01T00:00:00Z', '2026-04-01T21:59:59Z']) {
      const [summary] = await readSummaries(ledger, new Date(now))
      const { counts, ...rest } = facts(summary!)
      expect([...new Set(Object.values(counts)), rest]).toEqual([0, { gaps: [], failed: [] }])
    }
  })

  it('shows the oldest twenty gaps, and counts what is behind them', async () => {
    const { ledger, archive, request } = setup('day', 'UTC', '2026-01-01')
    await ledger.open(archive, new Date('2026-01-01T00:00:00Z'))
    for (let day = 0; day < 90; day += 2) {
      const from = new Date(Date.UTC(2026, 0, 1 + day))
      const name = from.toISOString().slice(0, 10)
      const window = { name, date: name, from, to: new Date(from.getTime() + dayMs) }
      await ledger.plan({ archive: archive.name, from, generation: 1 }, window, request)
    }
    const [summary] = await readSummaries(ledger, new Date('2026-04-01T12:00:00Z'))
    const { counts, gaps } = facts(summary!)
    expect(counts).toMatchObject({ planned: 45, missing: 45, settling: 0 })
    expect([gaps.length, gaps[0], gaps[19]]).toEqual([
      ...[20, '2026-01-02 2026-01-02 1', '2026-02-09 2026-02-09 1'],
    ])
  })

  it('counts ten years of hours that nobody has planned without a list of them', async () => {
    const { ledger, archive } = setup('hour', 'Europe/Berlin', '2016-01-01')
    await ledger.open(archive, new Date('2026-01-01T00:00:00Z'))
    const [summary] = await readSummaries(ledger, new Date('2026-01-01T00:59:59Z'))
    expect(summary!.counts).toMatchObject({ missing: 87_671, settling: 2, archived: 0 })
    expect(facts(summary!).gaps).toEqual(['20151231T230000Z 20251231T210000Z 87671'])
  })
})
