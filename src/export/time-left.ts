import type { ExportRecord } from './model.ts'
import { isFinished } from './state.ts'

/** A rate of less than this many ms says little. */
const leastElapsedMs = 1000

/** Bounds of how soon to look again, seconds. */
const [soonest, latest] = [1, 30]

/**
 * How many seconds the running attempt may still take, if rows go on to come as they did so far and
 * the planner's count is right. Both are guesses: undefined where one is missing, or wrong already.
 */
export function estimateSecondsLeft(record: ExportRecord): number | undefined {
  const { state, attemptAt, progressAt } = record
  const { rows, estimatedRows = 0 } = record.progress
  if (state !== 'running' || attemptAt === undefined || progressAt === undefined) return undefined
  const elapsedMs = progressAt.getTime() - attemptAt.getTime()
  if (rows === 0 || estimatedRows <= rows || elapsedMs < leastElapsedMs) return undefined
  return Math.ceil(((estimatedRows - rows) * elapsedMs) / rows / 1000)
}

/**
 * When a polite client looks again, seconds; undefined once there is nothing left to wait for. Half
 * of the time left, as that is an estimate; where it is unknown, a tenth of the time that passed.
 */
export function secondsToNextLook(record: ExportRecord, now: Date): number | undefined {
  if (isFinished(record.state)) return undefined
  const left = estimateSecondsLeft(record)
  const passedMs = now.getTime() - (record.attemptAt ?? record.createdAt).getTime()
  const seconds = left === undefined ? passedMs / 10_000 : left / 2
  return Math.min(latest, Math.max(soonest, Math.ceil(seconds)))
}
