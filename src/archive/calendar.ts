/**
 * The calendar of an archive: its days, hours and months as ranges of time, by the rules of its time zone. Windows
 * follow from the calendar alone, never from when anything runs, and tile: each ends where the next one begins.
 */
import { Temporal } from 'temporal-polyfill'
import { instantOf } from '../export/instant.ts'
import { compactInstant } from '../export/object-key.ts'

export const windowUnits = ['hour', 'day', 'month'] as const
/** How long a window is. */
export type WindowUnit = (typeof windowUnits)[number]

export interface Calendar {
  readonly unit: WindowUnit
  /** By its name in the IANA time zone database, `Europe/Berlin`. */
  readonly timeZone: string
}

/** A range of the calendar that is archived as one: `[from, to)`. */
export interface CalendarWindow {
  /** What people call it by: `2026-03-29`, `2026-03`, and of an hour its start in UTC, `20260329T010000Z`. */
  readonly name: string
  /** The local date on which it begins, `2026-03-29`. */
  readonly date: string
  readonly from: Date
  readonly to: Date
}

/**
 * The windows from the one in which `at` falls, oldest first, without end.
 *
 * A day begins with its first instant, which is not midnight where clocks skip midnight (Africa/Cairo, in April), and lasts
 * 23 to 25 hours where they are set. A date that a zone skips (Pacific/Apia, 2011-12-30) has no window. Hours
 * are counted from the start of their day: where clocks are set by half an hour (Australia/Lord_Howe), the last one of that day
 * lasts half an hour.
 */
export function* windowsFrom({ unit, timeZone }: Calendar, at: Date): Generator<CalendarWindow> {
  const first = Temporal.Instant.fromEpochMilliseconds(at.getTime())
  for (let date = first.toZonedDateTimeISO(timeZone).toPlainDate(); ;) {
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
