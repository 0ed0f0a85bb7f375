import type { ErrorFacts } from '../errors.ts'

export interface RetryLimits {
  /** Failures without progress after which an export is given up. */
  readonly maxFailures: number
  /** Attempts, but for those that were interrupted, after which an export is given up. */
  readonly maxAttempts: number
}

export interface EndedAttempt {
  readonly error: ErrorFacts
  /** Which one it is, those that were interrupted not counted. */
  readonly attempt: number
  /** Failures before this attempt. */
  readonly failures: number
  /** The most rows that any earlier attempt had read. */
  readonly highestRows: number
  /** Rows that this attempt had read. */
  readonly rows: number
}

export interface RetryDecision {
  readonly again: boolean
  /** Failures including this attempt. */
  readonly failures: number
  /** Why there is no other attempt; absent when there is one. */
  readonly reason?: string
}

/**
 * Decides whether another attempt follows one that ended by an error. Pure. An attempt that came further
 * than all before is no failure: the next one may come to the end. Not so after a conflict, which the next
 * one is as likely to meet, however far this one came.
 */
export function decideRetry(ended: EndedAttempt, limits: RetryLimits): RetryDecision {
  const conflict = ended.error.code === 'SOURCE_CONFLICT'
  const failures = ended.failures + (ended.rows > ended.highestRows && !conflict ? 0 : 1)
  if (!ended.error.retryable) return { again: false, failures, reason: 'the error is permanent' }
  if (failures >= limits.maxFailures) {
    const reason = conflict ? `${failures} failures` : `${failures} failures without progress`
    return { again: false, failures, reason }
  }
  if (ended.attempt >= limits.maxAttempts) {
    return { again: false, failures, reason: `${ended.attempt} attempts` }
  }
  return { again: true, failures }
}
