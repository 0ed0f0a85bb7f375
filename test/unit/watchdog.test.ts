import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AbandonedError } from '../../src/errors.ts'
import { startWatchdog, type Watchdog } from '../../src/export/watchdog.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { deferred } from '../support/deferred.ts'

const stallMs = 120_000
const maxMs = 86_400_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

const start = (deadlineMs = maxMs) =>
  startWatchdog(
    { clock: systemClock },
    { stallMs, maxMs, deadline: new Date(Date.now() + deadlineMs) },
  )

/** Batches that come when the test says so. */
function setup(watchdog: Watchdog) {
  let next = deferred<string | undefined>()
  async function* batches() {
    for (let batch; (batch = await next.promise) !== undefined;) {
      next = deferred()
      yield batch
    }
  }
  return { rows: watchdog.watch(batches()), give: (batch?: string) => next.resolve(batch) }
}

describe('a watchdog', () => {
  it('ends an attempt whose first row does not come', async () => {
    const { signal } = start()
    await pass(stallMs - 1)
    expect(signal.aborted).toBe(false)
    await pass(1)
    expect(signal.reason).toMatchObject({
      code: 'SOURCE_TIMEOUT',
      retryable: true,
      message: 'No row has come from the source database for 120 s.',
    })
  })

  it('has patience again after every batch', async () => {
    const watchdog = start()
    const { rows, give } = setup(watchdog)
    for (let batch = 0; batch < 5; batch++) {
      const taken = rows.next()
      await pass(stallMs - 1)
      give(`batch ${batch}`)
      await taken
      await pass(stallMs - 1)
    }
    expect(watchdog.signal.aborted).toBe(false)
    void rows.next()
    await pass(stallMs)
    expect(watchdog.signal.reason).toMatchObject({ code: 'SOURCE_TIMEOUT' })
  })

  it('blames the object store when that takes nothing', async () => {
    const watchdog = start()
    const { rows, give } = setup(watchdog)
    give('batch')
    await rows.next()
    await pass(stallMs)
    expect(watchdog.signal.reason).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      message: 'The object store took nothing for 120 s.',
    })
  })

  it('leaves the store a quarter of an hour to complete a large upload', async () => {
    const watchdog = start()
    const { rows, give } = setup(watchdog)
    give()
    await rows.next()
    await pass(15 * 60_000 - 1)
    expect(watchdog.signal.aborted).toBe(false)
    await pass(1)
    expect(watchdog.signal.reason).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('ends an export that moves, but has taken too long', async () => {
    const watchdog = start(1000)
    const { rows, give } = setup(watchdog)
    give('batch')
    await rows.next()
    await pass(1000)
    expect(watchdog.signal.reason).toBeInstanceOf(AbandonedError)
    expect(watchdog.signal.reason).toMatchObject({
      retryable: false,
      message: expect.stringContaining('longer than 86400 s') as string,
      hint: expect.stringContaining('EXPORT_MAX_SECONDS') as string,
    })
  })

  it('ends at once what comes too late already', () => {
    expect(start(-1).signal.aborted).toBe(true)
  })

  it('lets go when it is stopped', async () => {
    const watchdog = start()
    watchdog.stop()
    await pass(2 * maxMs)
    expect(watchdog.signal.aborted).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })
})
