/**
 * The calendar of an archive: its days, hours and months as ranges of time, by the rules of its time zone. Windows
 * follow from the calendar alone, never from when anything runs, and tile: each ends where the next one begins.
 */
import { Temporal } from 'temporal-polyfill'
import { instantOf } from '../export/instant.ts'
import { compactInstant } from '../export/object-key.ts'
import { isLocalDate } from '../runtime/local-time.ts'
import type { Calendar, CalendarWindow, WindowUnit } from './model.ts'

/**
 * The windows from the one in which `at` falls, oldest first, without end.
 *
 * A day begins with its first instant, which is not midnight where clocks skip midnight (Africa/Cairo, in April), and lasts
 * 23 to 25 hours where they are set. A date that a zone skips (Pacific/Apia, 2011-12-30) has no window. Hours
 * are counted from the start of their day: where clocks are set by half an hour (Australia/Lord_Howe), the last one of that day
 * lasts half an hour.
 */
export function* windowsFrom({ unit, timeZone }: Calendar, at: Date): Generator<CalendarWindow> {
  for (let date = zoned(at.getTime(), timeZone).toPlainDate(); ;) {
    if (unit === 'month') date = date.with({ day: 1 })
    const next = date.add(unit === 'month' ? { months: 1 } : { days: 1 })
    const [from, to] = [startOf(date, timeZone), startOf(next, timeZone)]
    for (const window of unit === 'hour'
      ? hoursOf(date, from, to)
      : [windowOf(unit, date, from, to)]) {
      if (window.from < window.to && window.to > at) yield window
    }
    date = next
  }
}

/** The window in which it falls. */
export function windowAt(calendar: Calendar, at: Date): CalendarWindow {
  for (const window of windowsFrom(calendar, at)) return window
  throw new RangeError('A calendar has no end.')
}

/** The window that people call so; undefined when the calendar has none. */
export function windowNamed(calendar: Calendar, name: string): CalendarWindow | undefined {
  const { unit, timeZone } = calendar
  const date = unit === 'month' ? `${name}-01` : name
  const localStart = () => (isLocalDate(date) ? startOfDate(date, timeZone) : undefined)
  const start = unit === 'hour' ? parseCompactInstant(name) : localStart()
  const window = start === undefined ? undefined : windowAt(calendar, start)
  return window?.name === name ? window : undefined
}

/** Undefined when it is no whole second, written as hours are named. */
function parseCompactInstant(text: string): Date | undefined {
  const [, ...fields] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  if (fields.length === 0) return undefined
  const at = new Date(`${fields.slice(0, 3).join('-')}T${fields.slice(3).join(':')}Z`)
  return Number.isNaN(at.getTime()) ? undefined : at
}

/**
 * How many windows begin in a range, both ends of which are bounds of windows. It looks at the days on which clocks are set, not at
 * each one: ten years of hours are counted in less than a millisecond.
 */
export function countWindows({ unit, timeZone }: Calendar, from: Date, to: Date): number {
  if (from >= to) return 0
  const [first, end] = [dayOf(from, timeZone), dayOf(to, timeZone)]
  if (unit === 'month') return monthsTo(end) - monthsTo(first)
  const perDay = unit === 'hour' ? 24 : 1
  let count = first.until(end, { largestUnit: 'days' }).days * perDay
  for (const date of irregularDates(first, end, timeZone)) {
    count += countOfDay(unit, startOf(date.add({ days: 1 }), timeZone), date, timeZone) - perDay
  }
  return unit === 'hour'
    ? count + countOfDay(unit, to, end, timeZone) - countOfDay(unit, from, first, timeZone)
    : count
}

/** Windows of a date that begin before `until`. */
function countOfDay(
  unit: 'hour' | 'day',
  until: Date,
  date: Temporal.PlainDate,
  timeZone: string,
): number {
  const ms = until.getTime() - startOf(date, timeZone).getTime()
  return unit === 'hour' ? Math.ceil(ms / hourMs) : Math.sign(ms)
}

/** The dates from `first` on, before `end`, that may not last 24 hours, or not be at all. */
function irregularDates(
  first: Temporal.PlainDate,
  end: Temporal.PlainDate,
  timeZone: string,
): readonly Temporal.PlainDate[] {
  const last = startOf(end, timeZone).getTime()
  const dates = new Map<string, Temporal.PlainDate>()
  // a day may begin with clocks being set
  const before = startOf(first, timeZone).getTime() - 1
  let change = zoned(before, timeZone).getTimeZoneTransition('next')
  while (change !== null && change.epochMilliseconds <= last) {
    const date = change.toPlainDate()
    // set across midnight, they change the day before, or the one behind
    for (const days of [-1, 0, 1]) {
      const near = date.add({ days })
      if (compare(near, first) >= 0 && compare(near, end) < 0) dates.set(near.toString(), near)
    }
    change = change.getTimeZoneTransition('next')
  }
  return [...dates.values()]
}

/** The date whose windows begin at this instant, or around it: where midnight comes twice, the day begins with the first. */
function dayOf(at: Date, timeZone: string): Temporal.PlainDate {
  const date = zoned(at.getTime(), timeZone).toPlainDate()
  const next = date.add({ days: 1 })
  return startOf(next, timeZone) <= at ? next : date
}

const compare = (one: Temporal.PlainDate, other: Temporal.PlainDate): number =>
  Temporal.PlainDate.compare(one, other)

const monthsTo = ({ year, month }: Temporal.PlainDate): number => year * 12 + month

const zoned = (ms: number, timeZone: string) =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timeZone)

function windowOf(
  unit: WindowUnit,
  date: Temporal.PlainDate,
  from: Date,
  to: Date,
): CalendarWindow {
  const name = unit === 'month' ? date.toPlainYearMonth().toString() : date.toString()
  return { name, date: date.toString(), from, to }
}

const hourMs = 3_600_000

function* hoursOf(date: Temporal.PlainDate, from: Date, end: Date): Generator<CalendarWindow> {
  for (let at = from.getTime(); at < end.getTime(); at += hourMs) {
    const [start, to] = [new Date(at), new Date(Math.min(at + hourMs, end.getTime()))]
    yield { name: compactInstant(instantOf(start)), date: date.toString(), from: start, to }
  }
}

const startOf = (date: Temporal.PlainDate, timeZone: string): Date =>
  new Date(date.toZonedDateTime(timeZone).epochMilliseconds)

/** End of a local date, which is the start of the next one; undefined when there is no such date. */
export function endOfDate(text: string, timeZone: string): Date | undefined {
  try {
    const date = Temporal.PlainDate.from(text, { overflow: 'reject' })
    return startOf(date.add({ days: 1 }), timeZone)
  } catch {
    return undefined
  }
}

/** Start of a local date; undefined when there is no such date. */
export function startOfDate(text: string, timeZone: string): Date | undefined {
  try {
    return startOf(Temporal.PlainDate.from(text, { overflow: 'reject' }), timeZone)
  } catch {
    return undefined
  }
}

/**
 * The latest hours, days, months or years, of which the last is the one in which a window ends: where they begin, and
 * what people call that, a local date or for hours an instant.
 */
export function latestSpan(
  { timeZone }: Calendar,
  { to }: Pick<CalendarWindow, 'to'>,
  unit: WindowUnit | 'year',
  count: number,
): { readonly from: Date; readonly name: string } {
  if (unit === 'hour') {
    const from = new Date(to.getTime() - count * hourMs)
    return { from, name: from.toISOString() }
  }
  const last = Temporal.Instant.fromEpochMilliseconds(to.getTime() - 1)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
  const back = count - 1
  const first = {
    day: () => last.subtract({ days: back }),
    month: () => last.with({ day: 1 }).subtract({ months: back }),
    year: () => last.with({ day: 1, month: 1 }).subtract({ years: back }),
  }[unit]()
  return { from: startOf(first, timeZone), name: first.toString() }
}

/** The local date of an instant. */
export const dateOf = (at: Date, timeZone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at.getTime())
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .toString()
