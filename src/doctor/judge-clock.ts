import { ok, warning, type Verdict } from './finding.ts'
import type { ClockReading } from './ports.ts'

export interface ClockTolerance {
  /** Differences up to that are nothing to speak of, ms. */
  readonly toleratedMs: number
  /** The time that was told may be so much too early, as it is cut to whole seconds; ms. */
  readonly coarseMs?: number
  /** What a larger difference does. */
  readonly consequence: string
}

/** How far the other clock is ahead of ours, ms, and by how much that may be wrong. */
export interface Skew {
  readonly aheadMs: number
  readonly withinMs: number
}

/** By the quickest reading: the other clock was read at some time between question and answer. Pure. */
export function skewOf(readings: readonly ClockReading[], coarseMs = 0): Skew | undefined {
  const skews = readings.map(({ askedAt, answeredAt, theirs }) => ({
    aheadMs: theirs + coarseMs / 2 - (askedAt + answeredAt) / 2,
    withinMs: (answeredAt - askedAt + coarseMs) / 2,
  }))
  return skews.sort((a, b) => a.withinMs - b.withinMs)[0]
}

/** Only what cannot be due to the way of the answer counts. Pure. */
export function judgeClock(
  readings: readonly ClockReading[],
  { toleratedMs, coarseMs = 0, consequence }: ClockTolerance,
): Verdict {
  const skew = skewOf(readings, coarseMs)
  if (skew === undefined) return ok('it does not tell its time')
  const { aheadMs, withinMs } = skew
  const certainMs = Math.abs(aheadMs) - withinMs
  const about = `${seconds(Math.abs(aheadMs))} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's clock, give or take ${seconds(withinMs)} s`
  return certainMs > toleratedMs
    ? warning(about, `Synchronise both clocks, such as by NTP: ${consequence}.`)
    : ok(`within ${seconds(Math.abs(aheadMs) + withinMs)} s of this machine's clock`)
}

const seconds = (ms: number) =>
  ms < 10_000 ? (ms / 1000).toFixed(3) : String(Math.round(ms / 1000))
