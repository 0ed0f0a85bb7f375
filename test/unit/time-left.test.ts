import { describe, expect, it } from 'vitest'
import type { ExportRecord } from '../../src/export/model.ts'
import { estimateSecondsLeft, secondsToNextLook } from '../../src/export/time-left.ts'
import { newRecord } from '../support/new-export.ts'

const at = (seconds: number) => new Date(Date.parse('2026-01-02T03:00:00.000Z') + seconds * 1000)

/** Running for ten seconds, by its last report. */
const running = (
  progress: Partial<ExportRecord['progress']>,
  change: Partial<ExportRecord> = {},
): ExportRecord =>
  newRecord({
    createdAt: at(-30),
    state: 'running',
    attempt: 1,
    startedAt: at(-20),
    attemptAt: at(0),
    progressAt: at(10),
    progress: { rows: 0, bytes: 0, ...progress },
    ...change,
  })

describe('the estimate of the time left', () => {
  it('takes the rows to come at the rate of those that came', () => {
    expect(estimateSecondsLeft(running({ rows: 100, estimatedRows: 1000 }))).toBe(90)
    expect(estimateSecondsLeft(running({ rows: 999, estimatedRows: 1000 }))).toBe(1)
  })

  it.each([
    ['no row came yet', running({ estimatedRows: 1000 })],
    ['the planner had no count', running({ rows: 10 })],
    ['the count was too small', running({ rows: 1001, estimatedRows: 1000 })],
    ['nothing was reported', running({ rows: 1, estimatedRows: 9 }, { progressAt: at(0) })],
    ['it has just begun', running({ rows: 1, estimatedRows: 9 }, { progressAt: at(0.9) })],
    ['it waits', running({ rows: 100, estimatedRows: 1000 }, { state: 'queued' })],
    ['it is over', running({ rows: 100, estimatedRows: 1000 }, { state: 'completed' })],
  ])('is unknown when %s', (_title, record) => {
    expect(estimateSecondsLeft(record)).toBeUndefined()
  })
})

describe('the next look', () => {
  it('comes after half of the time left, between 1 and 30 seconds', () => {
    const look = (rows: number) => secondsToNextLook(running({ rows, estimatedRows: 1000 }), at(10))
    expect([look(999), look(500), look(250), look(1)]).toEqual([1, 5, 15, 30])
  })

  it('comes after a tenth of the time passed where the time left is unknown', () => {
    const { attemptAt, ...queued } = running({}, { state: 'queued' })
    expect(attemptAt).toBeDefined()
    const look = (now: number) => secondsToNextLook(queued, at(now))
    // it was created at -30
    expect([look(-31), look(-29), look(0), look(70), look(9999)]).toEqual([1, 1, 3, 10, 30])
  })

  it('does not come when the export has finished', () => {
    expect(secondsToNextLook(running({}, { state: 'failed' }), at(10))).toBeUndefined()
  })
})
