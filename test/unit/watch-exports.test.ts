import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SourceError } from '../../src/errors.ts'
import { createExportWatch } from '../../src/export/watch-exports.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { newExport } from '../support/new-export.ts'

const pace = { shortestMs: 25, longestMs: 100 }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
const never = new AbortController().signal

function setup() {
  const records = createMemoryExportRecords()
  const looks: (readonly string[])[] = []
  const port = { getMany: (ids: readonly string[]) => records.getMany(ids) }
  const watch = createExportWatch(
    {
      records: {
        getMany: (ids) => {
          looks.push(ids)
          return port.getMany(ids)
        },
      },
    },
    pace,
  )
  const create = async () => (await records.create(newExport())).record
  return { records, looks, port, watch, create }
}

const isCanceled = ({ state }: { readonly state: string }) => state === 'canceled'

describe('a watch', () => {
  it('answers at once with what is enough already, and does not look', async () => {
    const { watch, create, looks } = setup()
    const record = await create()
    expect(await watch.until(record, () => true, { signal: never })).toBe(record)
    await pass(1000)
    expect(looks).toEqual([])
  })

  it('wakes who waits when the record has changed, and then looks no more', async () => {
    const { records, watch, create, looks } = setup()
    const record = await create()
    const waiting = watch.until(record, isCanceled, { signal: never })
    await pass(250)
    await records.cancel(record.id, new Date())
    await pass(100)
    expect((await waiting).state).toBe('canceled')
    await pass(1000)
    expect(looks).toHaveLength(3)
  })

  it('looks once for all who wait, naming each export once', async () => {
    const { records, watch, create, looks } = setup()
    const [one, two] = [await create(), await create()]
    const waiting = [one, one, two].map((record) =>
      watch.until(record, isCanceled, { signal: never }),
    )
    await pass(100)
    expect(looks).toEqual([[one.id, two.id]])
    await records.cancel(one.id, new Date())
    await pass(100)
    expect((await waiting[0])!.id).toBe(one.id)
    expect((await waiting[1])!.id).toBe(one.id)
    await pass(100)
    expect(looks.at(-1)).toEqual([two.id])
    await records.cancel(two.id, new Date())
    await pass(100)
    expect((await waiting[2])!.id).toBe(two.id)
  })

  it('looks for a new export more often than for an old one, each when it is due', async () => {
    const { records, watch, create, looks } = setup()
    const old = await create()
    const { record: young } = await records.create(newExport({ createdAt: new Date() }))
    const waiting = [old, young].map((record) => watch.until(record, isCanceled, { signal: never }))
    await pass(90)
    expect(looks).toEqual([[young.id], [young.id], [young.id]])
    await pass(10)
    expect(new Set(looks.slice(3).flat())).toEqual(new Set([old.id, young.id]))
    await pass(900)
    const before = looks.length
    await pass(1000)
    expect(looks.length - before).toBeLessThanOrEqual(20)
    for (const { id } of [old, young]) await records.cancel(id, new Date())
    await pass(100)
    await Promise.all(waiting)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives the latest record to who waits no longer', async () => {
    const { records, watch, create } = setup()
    const record = await create()
    const patience = new AbortController()
    const waiting = watch.until(record, isCanceled, { signal: patience.signal })
    await records.claim(record.id, { leaseMs: 1000 })
    await pass(100)
    patience.abort()
    expect((await waiting).state).toBe('running')
  })

  it('passes a failure on to all who wait, and watches again for the next', async () => {
    const { records, watch, create, port } = setup()
    const record = await create()
    const down = new SourceError('SOURCE_UNAVAILABLE', 'away')
    port.getMany = () => Promise.reject(down)
    const failing = [1, 2].map(() => watch.until(record, isCanceled, { signal: never }))
    const outcome = Promise.allSettled(failing)
    await pass(100)
    expect((await outcome).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    port.getMany = (ids) => records.getMany(ids)
    const waiting = watch.until(record, isCanceled, { signal: never })
    await records.cancel(record.id, new Date())
    await pass(100)
    expect((await waiting).state).toBe('canceled')
  })
})
