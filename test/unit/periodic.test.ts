import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startPeriodic } from '../../src/runtime/periodic.ts'
import { deferred } from '../support/deferred.ts'

const intervalMs = 1000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('periodic work', () => {
  it('runs again and again, after a pause of half to the whole interval', async () => {
    const startedAt: number[] = []
    const periodic = startPeriodic(
      () => {
        startedAt.push(Date.now())
        return Promise.resolve()
      },
      { intervalMs, onError: () => undefined },
    )
    await pass(20 * intervalMs)
    await periodic.stop()
    const pauses = startedAt.slice(1).map((at, i) => at - (startedAt[i] ?? 0))
    expect(pauses.length).toBeGreaterThanOrEqual(18)
    for (const pause of pauses) {
      expect(pause).toBeGreaterThanOrEqual(intervalMs / 2)
      expect(pause).toBeLessThanOrEqual(intervalMs)
    }
  })

  it('tells of a run that failed, and goes on', async () => {
    const errors: unknown[] = []
    let runs = 0
    const error = new TypeError('once')
    const periodic = startPeriodic(
      () => (++runs === 1 ? Promise.reject(error) : Promise.resolve()),
      {
        intervalMs,
        onError: (each) => errors.push(each),
      },
    )
    await pass(5 * intervalMs)
    await periodic.stop()
    expect(errors).toEqual([error])
    expect(runs).toBeGreaterThan(3)
  })

  it('never runs twice at once, and stops only when the run under way has ended', async () => {
    const run = deferred()
    let runs = 0
    let seen: AbortSignal | undefined
    const periodic = startPeriodic(
      ({ signal }) => {
        runs++
        seen = signal
        return run.promise
      },
      { intervalMs, onError: () => undefined },
    )
    await pass(10 * intervalMs)
    expect(runs).toBe(1)
    let stopped = false
    const stopping = periodic.stop().then(() => (stopped = true))
    await pass(1)
    expect([stopped, seen!.aborted]).toEqual([false, true])
    run.resolve()
    await stopping
    await periodic.stop()
    await pass(10 * intervalMs)
    expect(runs).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })
})
