import { describe, expect, it } from 'vitest'
import { startOfDate, windowsFrom } from '../../src/archive/calendar.ts'
import { decideKeep } from '../../src/archive/keep.ts'
import type { ArchiveHold, Calendar, LedgerWindow, WindowState } from '../../src/archive/model.ts'
import { parseKeep, type KeepPolicy } from '../../src/runtime/keep-text.ts'
import { createDice } from '../support/dice.ts'

const berlin: Calendar = { unit: 'day', timeZone: 'Europe/Berlin' }
const dayMs = 86_400_000

function policyOf(text: string): KeepPolicy {
  const keep = parseKeep(text)
  if ('problem' in keep) throw new Error(keep.problem)
  return keep
}

/** Windows that begin on local dates from one to another, each archived but where a name says otherwise. */
function windowsOf(
  calendar: Calendar,
  [from, to]: readonly [string, string],
  states: Readonly<Record<string, WindowState>> = {},
): LedgerWindow[] {
  const windows: LedgerWindow[] = []
  for (const window of windowsFrom(calendar, startOfDate(from, calendar.timeZone)!)) {
    if (window.date > to) return windows
    windows.push({
      ...window,
      ...{ archive: 'services', generation: 1, tries: 1 },
      state: states[window.name] ?? 'archived',
      request: {
        ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
        ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
      },
    })
  }
  return windows
}

const holdOf = (from: string, to: string | undefined, id = 1): ArchiveHold => ({
  ...{ id, archive: 'services', reason: 'a lawsuit', placedAt: new Date(0) },
  from: startOfDate(from, 'Europe/Berlin')!,
  to: to === undefined ? undefined : startOfDate(to, 'Europe/Berlin')!,
})

const decide = (
  text: string,
  windows: readonly LedgerWindow[],
  { calendar = berlin, holds = [] as readonly ArchiveHold[] } = {},
) => decideKeep(policyOf(text), { calendar, windows, holds })
const kept = (...args: Parameters<typeof decide>) =>
  decide(...args)
    .filter(({ keep }) => keep)
    .map(({ window }) => window.name)

describe('what a policy keeps', () => {
  const year = windowsOf(berlin, ['2025-01-01', '2026-03-30'])

  it.each([
    ['daily 1', '2026-03-30', 1],
    ['daily 2', '2026-03-29', 2],
    // the day on which clocks are set lasts 23 hours
    ['daily 35', '2026-02-24', 35],
    ['monthly 1', '2026-03-01', 30],
    ['monthly 2', '2026-02-01', 58],
    ['monthly 14', '2025-02-01', 423],
    ['yearly 1', '2026-01-01', 89],
    ['yearly 2', '2025-01-01', 454],
    ['yearly 100000', '2025-01-01', 454],
    ['hourly 1', '2026-03-30', 1],
    // 24 hours before the end of the 30th is the end of the 29th
    ['hourly 24', '2026-03-30', 1],
    ['hourly 25', '2026-03-29', 2],
    ['daily 35, monthly 1', '2026-02-24', 35],
    ['daily 3, monthly 2', '2026-02-01', 58],
    ['daily 3, for ever', '2025-01-01', 454],
    ['for ever', '2025-01-01', 454],
  ])('of days: %s from %s on', (text, first, count) => {
    const names = kept(text, year)
    expect([names[0], names.length]).toEqual([first, count])
    expect(names.at(-1)).toBe('2026-03-30')
  })

  it('is every window of a span, none thinned out', () => {
    expect(kept('monthly 2', year)).toEqual(
      year.filter(({ date }) => date >= '2026-02-01').map(({ name }) => name),
    )
  })

  it.each([
    [['2026-10-20', '2026-10-26'], 'daily 2', ['2026-10-25', '2026-10-26']],
    [['2024-02-25', '2024-03-01'], 'daily 2', ['2024-02-29', '2024-03-01']],
    [['2025-12-29', '2026-01-01'], 'yearly 1', ['2026-01-01']],
    [['2025-12-29', '2026-01-01'], 'monthly 1', ['2026-01-01']],
    [['2025-12-29', '2025-12-31'], 'yearly 1', ['2025-12-29', '2025-12-30', '2025-12-31']],
  ] as const)('at an edge of the calendar: %j, %s', ([from, to], text, expected) => {
    expect(kept(text, windowsOf(berlin, [from, to]))).toEqual(expected)
  })

  it('is counted where midnight does not exist', () => {
    const calendar: Calendar = { unit: 'day', timeZone: 'Africa/Cairo' }
    const windows = windowsOf(calendar, ['2025-04-23', '2025-04-26'])
    expect(kept('daily 2', windows, { calendar })).toEqual(['2025-04-25', '2025-04-26'])
  })

  it.each([
    ['hourly 3', 3],
    ['daily 1', 23],
    ['daily 2', 47],
  ])('of hours, of which a day may have 23: %s', (text, count) => {
    const calendar: Calendar = { unit: 'hour', timeZone: 'Europe/Berlin' }
    const windows = windowsOf(calendar, ['2026-03-27', '2026-03-29'])
    expect(kept(text, windows, { calendar })).toHaveLength(count)
  })

  it('of months is each of which a span has a part', () => {
    const calendar: Calendar = { unit: 'month', timeZone: 'UTC' }
    const windows = windowsOf(calendar, ['2024-01-01', '2026-02-28'])
    expect(kept('monthly 2', windows, { calendar })).toEqual(['2026-01', '2026-02'])
    expect(kept('daily 29', windows, { calendar })).toEqual(['2026-01', '2026-02'])
    expect(kept('daily 28', windows, { calendar })).toEqual(['2026-02'])
    expect(kept('yearly 2', windows, { calendar })[0]).toBe('2025-01')
  })

  it('is counted from the newest archived window: an archive that is stalled loses nothing', () => {
    const windows = windowsOf(berlin, ['2020-01-01', '2020-01-05'], {
      ...{ '2020-01-04': 'failed', '2020-01-05': 'planned' },
    })
    expect(kept('daily 2', windows)).toEqual(['2020-01-02', '2020-01-03'])
  })

  it('is a span of the calendar, whatever is missing in it', () => {
    const windows = [
      ...windowsOf(berlin, ['2026-01-01', '2026-01-10']),
      ...windowsOf(berlin, ['2026-03-01', '2026-03-02']),
    ]
    expect(kept('daily 5', windows)).toEqual(['2026-03-01', '2026-03-02'])
  })

  it('is nothing where nothing is archived', () => {
    expect(decide('daily 1', [])).toEqual([])
    expect(
      decide(
        'daily 1',
        windowsOf(berlin, ['2026-01-01', '2026-01-01'], { '2026-01-01': 'failed' }),
      ),
    ).toEqual([])
  })

  it('never deletes all, and keeps more where a count is higher, a clause more, or a hold placed', () => {
    const dice = createDice(7)
    const spans = ['hourly', 'daily', 'monthly', 'yearly'] as const
    for (let run = 0; run < 150; run++) {
      const unit = dice.pick(['hour', 'day', 'month'] as const)
      const calendar = {
        unit,
        timeZone: dice.pick(['Europe/Berlin', 'Africa/Cairo', 'UTC', 'Australia/Lord_Howe']),
      }
      const first = new Date(Date.UTC(2024, dice.between(0, 23), dice.between(1, 28)))
      const length = { hour: 4, day: 90, month: 900 }[unit]
      const last = new Date(first.getTime() + dice.between(0, length) * dayMs)
      const dates = [first, last].map((at) => at.toISOString().slice(0, 10)) as [string, string]
      const windows = windowsOf(calendar, dates).filter(() => !dice.percent(15))
      const span = dice.pick(spans)
      const count = dice.between(1, { hourly: 80, daily: 60, monthly: 12, yearly: 3 }[span])
      const names = kept(`${span} ${count}`, windows, { calendar })
      // from one window on, up to the newest
      expect(names).toEqual(windows.slice(windows.length - names.length).map(({ name }) => name))
      expect(names.length).toBeGreaterThanOrEqual(Math.min(1, windows.length))
      const more = kept(`${span} ${count + 1}`, windows, { calendar })
      const other = spans.filter((each) => each !== span)[run % 3]!
      const both = kept(`${span} ${count}, ${other} ${count}`, windows, { calendar })
      for (const wider of [more, both]) expect(wider).toEqual(expect.arrayContaining(names))
      const held = dice.pick(windows.length === 0 ? [undefined] : windows)
      if (held === undefined) continue
      const hold = { ...holdOf('2024-01-01', undefined), from: held.from, to: held.to }
      const withHold = kept(`${span} ${count}`, windows, { calendar, holds: [hold] })
      expect([...withHold].sort()).toEqual([...new Set([...names, held.name])].sort())
    }
  })
})

describe('why a policy keeps or deletes', () => {
  const windows = windowsOf(berlin, ['2026-02-27', '2026-03-02'])

  it('names each clause that keeps a window, and where its span begins', () => {
    const reasons = decide('daily 2, monthly 1', windows).map((each) => each.reasons)
    const daily = 'daily 2, which is from 2026-03-01 on'
    const monthly = 'monthly 1, which is from 2026-03-01 on'
    const why = 'over before 2026-03-01, where what daily 2, monthly 1 keeps begins'
    expect(reasons).toEqual([[why], [why], [daily, monthly], [daily, monthly]])
    expect(decide('for ever', windows)[0]?.reasons).toEqual(['for ever'])
    expect(decide('hourly 1', windows)[0]?.reasons).toEqual([
      'over before 2026-03-02T22:00:00.000Z, where what hourly 1 keeps begins',
    ])
  })

  it('names the hold that keeps it, besides', () => {
    const holds = [holdOf('2026-02-28', '2026-03-01', 4), holdOf('2026-03-02', undefined, 5)]
    const decisions = decide('daily 1', windows, { holds })
    expect(decisions.map(({ keep }) => keep)).toEqual([false, true, false, true])
    expect(decisions[1]?.reasons).toEqual(['hold 4: a lawsuit'])
    expect(decisions[3]?.reasons).toEqual([
      'daily 1, which is from 2026-03-02 on',
      'hold 5: a lawsuit',
    ])
  })

  it('keeps what is archived anew just now, and goes by the latest archived generation', () => {
    const again = (state: WindowState, window: LedgerWindow) => ({
      ...window,
      generation: 2,
      state,
    })
    const [first, second, third, last] = windows as [
      LedgerWindow,
      LedgerWindow,
      LedgerWindow,
      LedgerWindow,
    ]
    const all = [
      first,
      again('running', first),
      second,
      again('archived', second),
      third,
      again('failed', third),
      last,
    ]
    const decisions = decide('daily 1', all)
    expect(decisions.map(({ keep, window }) => [keep, window.generation])).toEqual([
      [true, 1],
      [false, 2],
      [false, 1],
      [true, 1],
    ])
    expect(decisions[0]?.reasons).toEqual(['generation 2 of it is on its way'])
    expect(decisions[1]?.generations).toHaveLength(2)
    expect(decisions[2]?.generations).toHaveLength(2)
  })
})
