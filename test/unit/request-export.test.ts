import { describe, expect, it } from 'vitest'
import { QueueError, SpecError } from '../../src/errors.ts'
import type { Dispatched } from '../../src/export/ports.ts'
import { requestExport } from '../../src/export/request-export.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'

const now = new Date('2026-01-02T03:04:05.678Z')
const body = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T18:00:00Z' }

function setup() {
  const records = createMemoryExportRecords()
  const enqueued: (readonly [id: string, dispatch: number, state: string])[] = []
  const queue = {
    async enqueue({ id, dispatch }: Dispatched) {
      enqueued.push([id, dispatch, (await records.get(id)).state])
    },
  }
  const all = async () => (await records.list({ limit: 100 })).exports
  return { deps: { records, queue, clock: { now: () => now } }, records, enqueued, all }
}

describe('a request', () => {
  it('is recorded first, then put on the queue', async () => {
    const { deps, records, enqueued } = setup()
    const { record, created } = await requestExport(deps, body)
    expect(created).toBe(true)
    expect(record).toMatchObject({ state: 'queued', createdAt: now })
    // the queue saw the record already there
    expect(enqueued).toEqual([[record.id, 1, 'queued']])
    expect(await records.get(record.id)).toEqual(record)
  })

  it('ends at the moment it is accepted unless it says otherwise', async () => {
    const { deps } = setup()
    const { record } = await requestExport(deps, { time_from: body.time_from })
    expect(record.spec.range.to).toBe(now.toISOString())
  })

  it('writes nothing when it is wrong', async () => {
    const { deps, enqueued, all } = setup()
    for (const wrong of [{}, { time_from: body.time_to, time_to: body.time_from }]) {
      await expect(requestExport(deps, wrong)).rejects.toThrow(SpecError)
    }
    expect(await all()).toEqual([])
    expect(enqueued).toEqual([])
  })

  it('keeps its record when the queue is down, and is enqueued when repeated', async () => {
    const { deps, enqueued, all } = setup()
    const queue = { enqueue: () => Promise.reject(new QueueError('down')) }
    const options = { idempotencyKey: 'k' }
    await expect(requestExport({ ...deps, queue }, body, options)).rejects.toThrow(QueueError)
    const [record] = await all()
    expect(record).toMatchObject({ state: 'queued' })

    const repeated = await requestExport(deps, body, options)
    expect(repeated).toEqual({ record, created: false })
    expect(enqueued).toEqual([[record!.id, 1, 'queued']])
  })
})

describe('a request under an idempotency key', () => {
  it('is the same export when it means the same', async () => {
    const { deps, all } = setup()
    const first = await requestExport(deps, body, { idempotencyKey: 'k' })
    const spelt = { ...body, dataset: 'services', time_from: '2014-07-22T14:00:00+02:00' }
    const second = await requestExport(deps, spelt, { idempotencyKey: 'k' })
    expect(second).toEqual({ record: first.record, created: false })
    expect(await all()).toHaveLength(1)
  })

  it('is the same export although "now" has moved on', async () => {
    const { deps, all } = setup()
    const open = { time_from: body.time_from }
    const first = await requestExport(deps, open, { idempotencyKey: 'k' })
    const later = { ...deps, clock: { now: () => new Date(now.getTime() + 5000) } }
    const second = await requestExport(later, open, { idempotencyKey: 'k' })
    expect(second.record).toEqual(first.record)
    expect(await all()).toHaveLength(1)
  })

  it('is refused when it means something else', async () => {
    const { deps, all } = setup()
    const { record } = await requestExport(deps, body, { idempotencyKey: 'k' })
    const other = requestExport(deps, { ...body, export_content: true }, { idempotencyKey: 'k' })
    await expect(other).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' })
    await expect(other).rejects.toThrow(record.id)
    expect(await all()).toHaveLength(1)
  })

  it('is not enqueued again once it runs or has finished', async () => {
    const { deps, records, enqueued } = setup()
    const { record } = await requestExport(deps, body, { idempotencyKey: 'k' })
    await records.claim(record.id, { leaseMs: 60_000 })
    const running = await requestExport(deps, body, { idempotencyKey: 'k' })
    expect(running.record.state).toBe('running')
    await records.cancel(record.id, now)
    const finished = await requestExport(deps, body, { idempotencyKey: 'k' })
    expect(finished.record.state).toBe('canceled')
    expect(enqueued).toHaveLength(1)
  })
})
