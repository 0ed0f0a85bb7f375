import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CanceledError, InterruptedError, SourceError } from '../../src/errors.ts'
import { startHeartbeat } from '../../src/export/heartbeat.ts'
import type { Claim, ExportRecord } from '../../src/export/model.ts'
import type { ProgressReport } from '../../src/export/ports.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { deferred } from '../support/deferred.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { newExport } from '../support/new-export.ts'

type Progress = (claim: Claim, report: ProgressReport) => Promise<boolean>

const leaseMs = 30_000
const intervalMs = 1000
const down = new SourceError('SOURCE_UNAVAILABLE', 'the control database is away')

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** A heartbeat for a claimed export; `progress` may be replaced while it beats. */
async function setup() {
  const records = createMemoryExportRecords()
  const { id } = (await records.create(newExport())).record
  const claim = (await records.claim(id, { leaseMs }))!
  const reports: ProgressReport[] = []
  const port: { progress: Progress; get: (id: string) => Promise<ExportRecord> } = {
    progress: (...args) => records.progress(...args),
    get: (id) => records.get(id),
  }
  let rows = 0
  const heartbeat = startHeartbeat(
    {
      records: {
        get: (id) => port.get(id),
        progress: (claim, report) => {
          reports.push(report)
          return port.progress(claim, report)
        },
      },
      clock: systemClock,
    },
    { claim, leaseMs, intervalMs, report: () => ({ rows: ++rows, bytes: rows * 10 }) },
  )
  return { records, id, claim, reports, port, heartbeat }
}

describe('a heartbeat', () => {
  it('reports what has passed at every beat, and renews the lease', async () => {
    const { heartbeat, reports, records, id } = await setup()
    await pass(3 * intervalMs)
    expect(reports).toEqual([
      { rows: 1, bytes: 10, leaseMs },
      { rows: 2, bytes: 20, leaseMs },
      { rows: 3, bytes: 30, leaseMs },
    ])
    const { leaseUntil, progress } = await records.get(id)
    expect(progress).toEqual({ rows: 3, bytes: 30 })
    expect(leaseUntil!.getTime()).toBe(Date.now() + leaseMs)
    expect(heartbeat.signal.aborted).toBe(false)
    await heartbeat.stop()
  })

  it('reports at once when told to', async () => {
    const { heartbeat, reports } = await setup()
    await heartbeat.beat()
    expect(reports).toHaveLength(1)
    await heartbeat.stop()
  })

  it('stops', async () => {
    const { heartbeat, reports } = await setup()
    await pass(intervalMs)
    await heartbeat.stop()
    await pass(10 * intervalMs)
    expect(reports).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
    await heartbeat.stop()
  })

  it('waits for the report that is under way when it stops', async () => {
    const { heartbeat, port } = await setup()
    const answer = deferred<boolean>()
    port.progress = () => answer.promise
    await pass(intervalMs)
    let stopped = false
    const stopping = heartbeat.stop().then(() => (stopped = true))
    await pass(10)
    expect(stopped).toBe(false)
    answer.resolve(true)
    await stopping
    await pass(10 * intervalMs)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('sets no timer for an answer that comes after it has stopped', async () => {
    const { heartbeat, port } = await setup()
    const answer = deferred<boolean>()
    port.progress = () => answer.promise
    const beating = heartbeat.beat()
    await heartbeat.stop()
    answer.resolve(true)
    await beating
    expect(vi.getTimerCount()).toBe(0)
  })

  it('never has two timed reports under way', async () => {
    const { heartbeat, port, reports } = await setup()
    const answer = deferred<boolean>()
    port.progress = () => answer.promise
    await pass(5 * intervalMs)
    expect(reports).toHaveLength(1)
    answer.resolve(true)
    await heartbeat.stop()
  })
})

describe('a heartbeat whose claim is gone', () => {
  it('aborts at the next beat when the export was canceled', async () => {
    const { heartbeat, records, id } = await setup()
    await records.cancel(id, new Date())
    await pass(intervalMs)
    expect(heartbeat.signal.reason).toBeInstanceOf(CanceledError)
    await pass(10 * intervalMs)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('aborts as an interruption when another attempt has the export', async () => {
    const { heartbeat, records, id, claim } = await setup()
    await records.progress(claim, { rows: 0, bytes: 0, leaseMs: -1 })
    await records.claim(id, { leaseMs })
    await pass(intervalMs)
    expect(heartbeat.signal.reason).toBeInstanceOf(InterruptedError)
    expect((heartbeat.signal.reason as Error).message).toContain('Attempt 1')
    expect((await records.get(id)).progress.rows).toBe(0)
  })
})

describe('a heartbeat whose control database is away', () => {
  it('goes on when it comes back before the lease ends', async () => {
    const { heartbeat, port, records } = await setup()
    await pass(intervalMs)
    port.progress = () => Promise.reject(down)
    await pass(leaseMs - 2 * intervalMs)
    expect(heartbeat.signal.aborted).toBe(false)
    port.progress = (...args) => records.progress(...args)
    await pass(leaseMs * 3)
    expect(heartbeat.signal.aborted).toBe(false)
    await heartbeat.stop()
  })

  it('keeps its lease when one report is never answered, by the next', async () => {
    const { heartbeat, port, records } = await setup()
    port.progress = () => deferred<boolean>().promise
    await pass(intervalMs)
    port.progress = (...args) => records.progress(...args)
    await pass(leaseMs * 3)
    expect(heartbeat.signal.aborted).toBe(false)
    await heartbeat.stop()
  })

  it('aborts as an interruption once the lease has ended, and not before', async () => {
    const { heartbeat, port } = await setup()
    await pass(intervalMs)
    port.progress = () => Promise.reject(down)
    await pass(leaseMs - 1)
    expect(heartbeat.signal.aborted).toBe(false)
    await pass(intervalMs + 1)
    const reason: unknown = heartbeat.signal.reason
    expect(reason).toBeInstanceOf(InterruptedError)
    expect((reason as Error).cause).toBe(down)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('aborts in the same way when the claim cannot be looked up', async () => {
    const { heartbeat, port } = await setup()
    port.progress = () => Promise.resolve(false)
    port.get = () => Promise.reject(down)
    await pass(leaseMs + intervalMs)
    expect(heartbeat.signal.reason).toBeInstanceOf(InterruptedError)
  })

  it('aborts once the lease has ended even when no answer ever comes', async () => {
    const { heartbeat, port } = await setup()
    port.progress = () => deferred<boolean>().promise
    await pass(2 * leaseMs)
    expect(heartbeat.signal.reason).toBeInstanceOf(InterruptedError)
  })

  it('measures the lease from before the report, not from its answer', async () => {
    const { heartbeat, port, records } = await setup()
    // the answer takes 10 seconds, so that the lease ends 20 seconds after it
    port.progress = (...args) =>
      new Promise((resolve) => {
        const renewed = records.progress(...args)
        setTimeout(() => resolve(renewed), 10_000)
      })
    await pass(intervalMs + 10_000)
    port.progress = () => Promise.reject(down)
    await pass(20_000 + intervalMs)
    expect(heartbeat.signal.reason).toBeInstanceOf(InterruptedError)
  })
})
