import { describe, expect, it } from 'vitest'
import { decideRetry } from '../../src/export/retry-policy.ts'

const limits = { maxFailures: 3, maxAttempts: 5 }
const error = { code: 'SOURCE_UNAVAILABLE', message: 'gone', retryable: true }

describe('another attempt', () => {
  it.each([
    // attempt, failures before, highest rows, rows → again, failures after, reason
    [1, 0, 0, 0, true, 1, undefined],
    [1, 0, 0, 10, true, 0, undefined],
    [2, 0, 10, 10, true, 1, undefined],
    [2, 0, 10, 11, true, 0, undefined],
    [2, 1, 10, 3, true, 2, undefined],
    [3, 2, 10, 10, false, 3, '3 failures without progress'],
    [3, 2, 10, 11, true, 2, undefined],
    [4, 3, 10, 11, false, 3, '3 failures without progress'],
    [4, 0, 10, 11, true, 0, undefined],
    [5, 0, 10, 11, false, 0, '5 attempts'],
    [6, 0, 10, 11, false, 0, '6 attempts'],
  ])(
    'attempt %i after %i failures and %i rows, now %i rows: again %s',
    (attempt, before, highestRows, rows, again, failures, reason) => {
      const decision = decideRetry({ error, attempt, failures: before, highestRows, rows }, limits)
      expect(decision).toEqual({ again, failures, ...(reason === undefined ? {} : { reason }) })
    },
  )

  it('counts every conflict with the source as a failure, however far the attempt came', () => {
    const conflict = { ...error, code: 'SOURCE_CONFLICT' }
    const ended = { error: conflict, attempt: 2, highestRows: 10, rows: 1000 }
    expect(decideRetry({ ...ended, failures: 1 }, limits)).toEqual({ again: true, failures: 2 })
    expect(decideRetry({ ...ended, failures: 2 }, limits)).toEqual({
      again: false,
      failures: 3,
      reason: '3 failures',
    })
  })

  it('never follows a permanent error, however far the attempt came', () => {
    const permanent = { ...error, retryable: false }
    const ended = { error: permanent, attempt: 1, failures: 0, highestRows: 0, rows: 1000 }
    expect(decideRetry(ended, limits)).toMatchObject({
      again: false,
      reason: 'the error is permanent',
    })
  })
})
