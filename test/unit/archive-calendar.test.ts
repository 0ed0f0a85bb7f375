import { describe, expect, it } from 'vitest'
import { countWindows, windowNamed, windowsFrom } from '../../src/archive/calendar.ts'
import type { Calendar, CalendarWindow } from '../../src/archive/model.ts'
import { createDice } from '../support/dice.ts'

/** The first so many windows. */
function take(count: number, calendar: Calendar, at: string): readonly CalendarWindow[] {
  const windows: CalendarWindow[] = []
  for (const window of windowsFrom(calendar, new Date(at))) {
    if (windows.push(window) === count) break
  }
  return windows
}

const minutes = ({ from, to }: CalendarWindow) => (to.getTime() - from.getTime()) / 60_000
const shown = ({ name, from, to }: CalendarWindow) =>
  `${name} ${from.toISOString()} ${to.toISOString()}`

describe('days', () => {
  it('begin with the one in which the instant falls', () => {
    const days = take(2, { unit: 'day', timeZone: 'UTC' }, '2026-03-28T23:59:59.999Z')
    expect(days.map(shown)).toEqual([
      '2026-03-28 2026-03-28T00:00:00.000Z 2026-03-29T00:00:00.000Z',
      '2026-03-29 2026-03-29T00:00:00.000Z 2026-03-30T00:00:00.000Z',
    ])
  })

  it('last 23 and 25 hours where clocks are set', () => {
    const calendar = { unit: 'day', timeZone: 'Europe/Berlin' } as const
    expect(take(3, calendar, '2026-03-28T12:00:00Z').map(minutes)).toEqual([1440, 1380, 1440])
    expect(take(3, calendar, '2026-10-24T12:00:00Z').map(minutes)).toEqual([1440, 1500, 1440])
  })

  it('begin at one where there is no midnight', () => {
    const days = take(2, { unit: 'day', timeZone: 'Africa/Cairo' }, '2026-04-23T12:00:00Z')
    // clocks go from 00:00 to 01:00 on the last Friday of April: 2026-04-24
    expect(days.map(shown)).toEqual([
      '2026-04-23 2026-04-22T22:00:00.000Z 2026-04-23T22:00:00.000Z',
      '2026-04-24 2026-04-23T22:00:00.000Z 2026-04-24T21:00:00.000Z',
    ])
  })

  it('are none where a zone skips a date', () => {
    const days = take(2, { unit: 'day', timeZone: 'Pacific/Apia' }, '2011-12-29T20:00:00Z')
    expect(days.map(({ name }) => name)).toEqual(['2011-12-29', '2011-12-31'])
  })
})

it('months begin with their first day', () => {
  const months = take(3, { unit: 'month', timeZone: 'America/Sao_Paulo' }, '2018-10-31T12:00:00Z')
  expect(months.map(shown)).toEqual([
    '2018-10 2018-10-01T03:00:00.000Z 2018-11-01T03:00:00.000Z',
    '2018-11 2018-11-01T03:00:00.000Z 2018-12-01T02:00:00.000Z',
    '2018-12 2018-12-01T02:00:00.000Z 2019-01-01T02:00:00.000Z',
  ])
  expect(months[0]).toMatchObject({ date: '2018-10-01' })
})

describe('hours', () => {
  it('are as many as their day has, each with a name of its own', () => {
    const hours = take(25, { unit: 'hour', timeZone: 'Europe/Berlin' }, '2026-10-24T22:00:00Z')
    expect(new Set(hours.map(({ date }) => date))).toEqual(new Set(['2026-10-25']))
    expect(new Set(hours.map(({ name }) => name)).size).toBe(25)
    expect(hours.map(minutes)).toEqual(Array.from({ length: 25 }, () => 60))
    expect(hours[0]).toMatchObject({ name: '20261024T220000Z' })
  })

  it('have a half one at the end of a day that is half an hour longer', () => {
    const hours = take(
      25,
      { unit: 'hour', timeZone: 'Australia/Lord_Howe' },
      '2026-04-04T13:00:00Z',
    )
    expect(hours.map(minutes).slice(23)).toEqual([60, 30])
  })
})

describe.each(['day', 'hour', 'month'] as const)('windows of a %s', (unit) => {
  it.each(['UTC', 'Africa/Cairo', 'Pacific/Apia', 'Australia/Lord_Howe', 'America/Sao_Paulo'])(
    'tile in %s, and are found again from any instant in them',
    (timeZone) => {
      const calendar = { unit, timeZone }
      const windows = take(800, calendar, '2011-01-01T00:00:00Z')
      windows.forEach((window, n) => {
        const next = windows[n + 1]
        if (next !== undefined) expect(window.to).toEqual(next.from)
        const { from, to } = window
        const middle = new Date((from.getTime() + to.getTime()) / 2)
        for (const at of [from, middle, new Date(to.getTime() - 1)]) {
          expect(windowsFrom(calendar, at).next().value).toEqual(window)
        }
      })
      expect(new Set(windows.map(({ name }) => name)).size).toBe(windows.length)
    },
  )

  it.each([
    ...['UTC', 'Africa/Cairo', 'Pacific/Apia', 'Australia/Lord_Howe', 'America/Sao_Paulo'],
    // clocks went back from 00:01 to 23:01, so that midnight came twice
    'America/St_Johns',
  ])('in %s are counted as they are listed, and found by their names', (timeZone) => {
    const calendar = { unit, timeZone }
    const windows = take(unit === 'hour' ? 26_000 : 1_500, calendar, '2009-01-01T00:00:00Z')
    const dice = createDice(7)
    for (let round = 0; round < 300; round++) {
      const near = dice.percent(50) ? 60 : windows.length
      const first = dice.between(0, windows.length - 1)
      const end = Math.min(windows.length - 1, first + dice.between(0, near))
      const count = countWindows(calendar, windows[first]!.from, windows[end]!.from)
      expect([windows[first]!.name, windows[end]!.name, count]).toEqual([
        ...[windows[first]!.name, windows[end]!.name, end - first],
      ])
      expect(windowNamed(calendar, windows[first]!.name)).toEqual(windows[first])
    }
    expect(countWindows(calendar, windows[9]!.from, windows[3]!.from)).toBe(0)
  })
})

describe('a name', () => {
  it.each([
    ['day', 'UTC', '2026-02-29'],
    ['day', 'UTC', '2026-3-1'],
    ['day', 'UTC', '2026-03'],
    ['day', 'UTC', '20260301'],
    ['day', 'UTC', '2026-03-01T00:00'],
    ['day', 'UTC', '+012026-03-01'],
    ['day', 'UTC', ''],
    ['day', 'Pacific/Apia', '2011-12-30'],
    ['month', 'UTC', '2026-13'],
    ['month', 'UTC', '2026-03-01'],
    ['hour', 'UTC', '2026-03-01'],
    ['hour', 'UTC', '20260301T013000Z'],
    ['hour', 'UTC', '20260301T240000Z'],
    ['hour', 'UTC', '20260301T250000Z'],
    ['hour', 'UTC', '20260229T010000Z'],
    ['hour', 'UTC', '20260301T010000.5Z'],
    ['hour', 'Asia/Kolkata', '20260301T010000Z'],
  ] as const)('of a %s in %s is not %j', (unit, timeZone, name) => {
    expect(windowNamed({ unit, timeZone }, name)).toBeUndefined()
  })

  it('of an hour is its start in UTC, wherever its day is', () => {
    const calendar = { unit: 'hour', timeZone: 'Asia/Kolkata' } as const
    const window = windowNamed(calendar, '20260301T013000Z')
    expect(window).toMatchObject({ date: '2026-03-01', from: new Date('2026-03-01T01:30:00Z') })
  })
})
