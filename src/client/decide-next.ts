import type { Setback } from './decide-answer.ts'

/** What a download has been through. */
export interface History {
  /** In a row, without a new byte. */
  readonly failures: number
  /** How often what was here already was dropped. */
  readonly restarts: number
  /** The link before this one was refused, and no byte came since. */
  readonly refused: boolean
  /** Whether ranges of this store are believed. */
  readonly mayResume: boolean
}

/** A request that did not end the download. */
export interface Ended {
  readonly setback: Setback
  /** Whether it brought any. */
  readonly newBytes: boolean
  /** Here so far. */
  readonly bytes: number
  /** Whether they came by more than one answer. */
  readonly resumed: boolean
}

export interface Limits {
  /** Failures in a row without a new byte after which it is given up. */
  readonly maxFailures: number
  readonly maxRestarts: number
  /** The pause after a failure, ms; it doubles with each one in a row. */
  readonly pauseMs: number
}

/** With the history to go on with; or the code and the reason to give up for. */
export type Next =
  | { readonly go: 'on' | 'from-zero'; readonly history: History; readonly pauseMs: number }
  | { readonly go: 'fresh-link'; readonly history: History }
  | {
      readonly go: 'fail'
      readonly code: 'DOWNLOAD_FAILED' | 'DOWNLOAD_CORRUPT'
      readonly reason: string
    }

/** A pause never grows beyond, ms. */
const maxPauseMs = 30_000
/** A store that asks for more patience than that, ms, is asked again all the same. */
const maxRetryAfterMs = 60_000

/** What follows a request that did not end the download. Pure. */
export function decideNext(
  { setback, newBytes, bytes, resumed }: Ended,
  before: History,
  limits: Limits,
): Next {
  const { reason } = setback
  const history = newBytes ? { ...before, failures: 0, refused: false } : before
  switch (setback.kind) {
    case 'broken': {
      const failures = newBytes ? 0 : before.failures + 1
      if (failures >= limits.maxFailures) {
        const times = `${failures} times in a row without a new byte`
        return {
          go: 'fail',
          code: 'DOWNLOAD_FAILED',
          reason: `${times}, at last because ${reason}`,
        }
      }
      const growing = Math.min(limits.pauseMs * 2 ** Math.max(0, failures - 1), maxPauseMs)
      const pauseMs = Math.max(growing, Math.min(setback.retryAfterMs ?? 0, maxRetryAfterMs))
      const counted = { ...history, failures }
      return counted.mayResume || bytes === 0
        ? { go: 'on', history: counted, pauseMs }
        : startOver(counted, limits, reason, pauseMs)
    }
    case 'refused':
      return history.refused
        ? { go: 'fail', code: 'DOWNLOAD_FAILED', reason: `by a fresh link, too, ${reason}` }
        : { go: 'fresh-link', history: { ...history, refused: true } }
    case 'changed':
      return startOver(history, limits, reason)
    case 'untrusted':
      return startOver({ ...history, mayResume: false }, limits, reason)
    case 'mismatch':
      // pieces that do not fit together say nothing about the object itself
      return resumed && history.restarts < limits.maxRestarts
        ? startOver({ ...history, mayResume: false }, limits, reason)
        : { go: 'fail', code: 'DOWNLOAD_CORRUPT', reason }
  }
}

function startOver(history: History, limits: Limits, reason: string, pauseMs = 0): Next {
  const restarts = history.restarts + 1
  if (restarts <= limits.maxRestarts) {
    return { go: 'from-zero', history: { ...history, restarts }, pauseMs }
  }
  const times = `it had to start again ${restarts} times`
  return { go: 'fail', code: 'DOWNLOAD_FAILED', reason: `${times}, at last because ${reason}` }
}
