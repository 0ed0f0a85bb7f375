import type { Instant } from './model.ts'

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?(?:Z|([+-])(\d{2}):(\d{2}))$/

/** What a time must look like, for messages. */
export const instantForm =
  'a date and time with an offset, such as "2014-09-02T08:00:00.000Z" or "2014-09-02T10:00:00+02:00"'

export type InstantResult =
  | { readonly ok: true; readonly instant: Instant }
  | { readonly ok: false; readonly problem: string }

const no = (problem: string): InstantResult => ({ ok: false, problem })

/**
 * Reads an RFC 3339 time with `T`, seconds, up to six fraction digits, and `Z` or an offset.
 * The result is canonical: equal times give equal instants.
 */
export function parseInstant(text: string): InstantResult {
  const match = pattern.exec(text)
  if (match === null) return no(explainForm(text))
  const [, year = '', month = '', day = '', hour = '', minute = '', second = ''] = match
  const fraction = (match[7] ?? '').padEnd(6, '0')
  const [offsetHour, offsetMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)]
  if (Number(hour) > 23 || Number(minute) > 59) return no('there is no such time of day')
  if (Number(second) > 59) return no('seconds run from 00 to 59, and leap seconds are not kept')
  if (offsetHour > 23 || offsetMinute > 59) return no('there is no such offset')

  const wall = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  // Date rolls 30 February over to March instead of refusing it
  const exists =
    !Number.isNaN(wall) && new Date(wall).toISOString().startsWith(`${year}-${month}-${day}`)
  if (!exists) return no(`${year}-${month}-${day} is not a day of the calendar`)

  const sign = match[8] === '-' ? -1 : 1
  const utc = new Date(wall - sign * (offsetHour * 60 + offsetMinute) * 60_000)
  const utcYear = utc.getUTCFullYear()
  if (utcYear < 1 || utcYear > 9999) return no('the years 1 to 9999 (in UTC) can be asked for')
  const micros = fraction.endsWith('000') ? fraction.slice(0, 3) : fraction
  return { ok: true, instant: `${utc.toISOString().slice(0, 19)}.${micros}Z` as Instant }
}

/** Why a text is not of the right form, for the mistakes that people make. */
function explainForm(text: string): string {
  if (/T.* \d{2}:\d{2}$/.test(text)) {
    return 'it has a space before the offset: a "+" in a query string must be written %2B'
  }
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return 'it has no time of day'
  if (/^\d{4}-\d{2}-\d{2} /.test(text)) return 'date and time must be joined by "T"'
  if (/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?$/.test(text)) {
    return 'it has no offset from UTC, and a local time would be a guess: add "Z" or, say, "+02:00"'
  }
  if (/\.\d{7,}/.test(text)) return 'at most six fraction digits (microseconds) are kept'
  return 'it is not of that form'
}

/** @returns negative when `a` is before `b`, 0 when they are the same, positive when after */
export function compareInstants(a: Instant, b: Instant): number {
  // canonical forms differ only in whether they show microseconds: "…00.000Z" and "…00.000500Z"
  const [left, right] = [a, b].map((instant) => instant.slice(0, -1).padEnd(26, '0'))
  return left === right ? 0 : (left ?? '') < (right ?? '') ? -1 : 1
}

/** A Date as an instant; always whole milliseconds. */
export const instantOf = (date: Date): Instant => date.toISOString() as Instant
