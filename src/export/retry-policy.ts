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

/** Decides whether another attempt follows one that ended by an error. Pure. */
export function decideRetry(ended: EndedAttempt, limits: RetryLimits): RetryDecision {
  const failures = ended.failures + (ended.rows > ended.highestRows ? 0 : 1)
  if (!ended.error.retryable) return { again: false, failures, reason: 'the error is permanent' }
  if (failures >= limits.maxFailures) {
    return { again: false, failures, reason: `${failures} failures without progress` }
  }
  if (ended.attempt >= limits.maxAttempts) {
    return { again: false, failures, reason: `${ended.attempt} attempts` }
  }
  return { again: true, failures }
}
