/** What the archive's variables may hold. */
import { CronExpressionParser } from 'cron-parser'
import { z } from 'zod'
import { got } from '../runtime/describe-issues.ts'
import { parseKeep, type KeepPolicy } from '../runtime/keep-text.ts'
import { isLocalDate, isTimeZone } from '../runtime/local-time.ts'
import { custom } from './checks.ts'

/** Archives, as the environment has them. */
export interface ArchiveConfig {
  /** When workers look what is due: a cron pattern, in that time zone; undefined: never. */
  readonly pattern: string | undefined
  /** A file that defines archives; undefined: the one that is built in. */
  readonly file: string | undefined
  /** What a definition leaves open: */
  readonly timeZone: string
  /** Local date of the first window, `2025-01-01`; undefined: the one before the first start. */
  readonly start: string | undefined
  readonly settleMinutes: number
  readonly keep: KeepPolicy
}

/** `hourly`, or five or six fields of cron. */
export const archiveSchedule = z.string().transform((text, context) => {
  if (text === 'hourly') return '0 * * * *'
  try {
    CronExpressionParser.parse(text)
    return text
  } catch (error) {
    const why = error instanceof Error ? `: ${error.message}` : ''
    return custom(
      context,
      `expected hourly or a cron pattern, such as 30 2 * * *, got ${got(text)}${why}`,
    )
  }
})

export const timeZone = z
  .string()
  .transform((text, context) =>
    isTimeZone(text)
      ? text
      : custom(context, `expected a time zone, such as UTC or Europe/Berlin, got ${got(text)}`),
  )

export const localDate = z
  .string()
  .transform((text, context) =>
    isLocalDate(text)
      ? text
      : custom(context, `expected a date, such as 2025-01-01, got ${got(text)}`),
  )

/** How long what is archived is kept. */
export const archiveKeep = z.string().transform((text, context) => {
  const keep = parseKeep(text)
  return 'problem' in keep ? custom(context, keep.problem) : keep
})

/**
 * When workers last looked what is due, by that time, whether or not there were any. Without a schedule, or where it
 * has no such time: then.
 */
export function latestLook(
  { pattern, timeZone }: Pick<ArchiveConfig, 'pattern' | 'timeZone'>,
  by: Date,
): Date {
  if (pattern === undefined) return by
  // the parser looks for what is before, and this may be one itself
  const currentDate = new Date(by.getTime() + 1)
  try {
    return CronExpressionParser.parse(pattern, { tz: timeZone, currentDate }).prev().toDate()
  } catch {
    return by
  }
}
