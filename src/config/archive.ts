/** What the archive's variables may hold. */
import { CronExpressionParser } from 'cron-parser'
import { z } from 'zod'
import { got } from '../runtime/describe-issues.ts'
import { custom } from './checks.ts'

/** A nightly archive, as the environment has it. */
export interface ArchiveConfig {
  /** When the planner looks what is due: a cron pattern, in the archive's time zone. */
  readonly pattern: string
  readonly timeZone: string
  /** Local date of the first window, `2025-01-01`; undefined: the day before the first start. */
  readonly start: string | undefined
  readonly settleMinutes: number
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

export const timeZone = z.string().transform((text, context) => {
  const wrong = () =>
    custom(context, `expected a time zone, such as UTC or Europe/Berlin, got ${got(text)}`)
  // newer versions of Node take offsets, too, which know no daylight saving time
  if (!/^[a-z]/i.test(text)) return wrong()
  try {
    new Intl.DateTimeFormat('en', { timeZone: text })
    return text
  } catch {
    return wrong()
  }
})

export const localDate = z.string().transform((text, context) => {
  const at = new Date(`${text}T00:00:00Z`)
  const isDate =
    /^\d{4}-\d{2}-\d{2}$/.test(text) && !isNaN(at.getTime()) && at.toISOString().startsWith(text)
  return isDate ? text : custom(context, `expected a date, such as 2025-01-01, got ${got(text)}`)
})
