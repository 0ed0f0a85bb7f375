import { describe, expect, it } from 'vitest'
import { QueueError } from '../../src/errors.ts'
import type { Dispatched, DispatchedJob } from '../../src/export/ports.ts'
import { reconcileExports } from '../../src/export/reconcile-exports.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { newExport } from '../support/new-export.ts'

const signal = new AbortController().signal
const now = new Date('2026-01-02T04:00:00.000Z')
const ago = (seconds: number) => new Date(now.getTime() - seconds * 1000)

/** A queue that knows its jobs by `id-dispatch`: those that wait, and those that a worker has. */
function setup() {
  const records = createMemoryExportRecords({ clock: { now: () => now } })
  const jobs = new Set<string>()
  const taken = new Set<string>()
  const queue = {
    enqueue: ({ id, dispatch }: Dispatched) => {
      jobs.add(`${id}-${dispatch}`)
      return Promise.resolve()
    },
    look: (id: string, dispatch: number): Promise<DispatchedJob> => {
      const job = `${id}-${dispatch}`
      return Promise.resolve(taken.has(job) ? 'taken' : jobs.has(job) ? 'waiting' : 'gone')
    },
  }
  const deps = { records, queue, clock: { now: () => now } }
  const create = async (createdAt = ago(60)) =>
    (await records.create(newExport({ createdAt }))).record
  const run = (after?: Parameters<typeof reconcileExports>[1]) =>
    reconcileExports(deps, after, { signal })
  return { records, jobs, taken, queue, deps, create, run }
}

describe('reconciling', () => {
  it('gives a queued export without a job one, under a new dispatch number, and only once', async () => {
    const { create, run, jobs } = setup()
    const { id } = await create()
    expect(await run()).toEqual({ looked: 1, dispatched: [id], next: undefined })
    expect([...jobs]).toEqual([`${id}-2`])
    expect(await run()).toMatchObject({ dispatched: [] })
    expect([...jobs]).toEqual([`${id}-2`])
  })

  it('leaves alone what has a job, is too young, runs, or has finished', async () => {
    const { records, create, run, jobs } = setup()
    const queued = await create()
    jobs.add(`${queued.id}-1`)
    await create(ago(1))
    const running = await create()
    await records.claim(running.id, { leaseMs: 60_000 })
    const canceled = await create()
    await records.cancel(canceled.id, now)
    expect(await run()).toEqual({ looked: 1, dispatched: [], next: undefined })
  })

  it('hands on a running export whose lease has ended and whose job is gone', async () => {
    const { records, create, run, jobs } = setup()
    const { id } = await create()
    await records.claim(id, { leaseMs: -1 })
    expect((await run()).dispatched).toEqual([id])
    expect([...jobs]).toEqual([`${id}-2`])
    expect(await records.claim(id, { leaseMs: 60_000 })).toMatchObject({ attempt: 2 })
  })

  it('hands on a running export whose lease has ended, although a worker has its job; once', async () => {
    const { records, create, run, jobs, taken } = setup()
    const { id } = await create()
    taken.add(`${id}-1`)
    await records.claim(id, { leaseMs: -1 })
    expect((await run()).dispatched).toEqual([id])
    expect((await run()).dispatched).toEqual([])
    expect([...jobs]).toEqual([`${id}-2`])
  })

  it('leaves a queued export to the worker that has its job', async () => {
    const { create, run, taken } = setup()
    const { id } = await create()
    taken.add(`${id}-1`)
    expect((await run()).dispatched).toEqual([])
  })

  it('goes through many in bounded runs, from where the last one ended', async () => {
    const { create, run, jobs } = setup()
    for (let n = 0; n < 450; n++) await create(ago(1000 - n))
    const first = await run()
    const second = await run(first.next)
    const third = await run(second.next)
    expect([first.looked, second.looked, third.looked]).toEqual([200, 200, 50])
    expect(third.next).toBeUndefined()
    expect(jobs.size).toBe(450)
  })

  it('dispatches once when many do it at the same time', async () => {
    const { create, run, jobs } = setup()
    const { id } = await create()
    const runs = await Promise.all([run(), run(), run()])
    expect(runs.flatMap(({ dispatched }) => dispatched)).toEqual([id])
    expect([...jobs]).toEqual([`${id}-2`])
  })

  it('tries again, under another number, what the queue did not take', async () => {
    const { create, run, jobs, deps } = setup()
    const { id } = await create()
    const broken = { ...deps.queue, enqueue: () => Promise.reject(new QueueError('away')) }
    const failed = reconcileExports({ ...deps, queue: broken }, undefined, { signal })
    await expect(failed).rejects.toThrow('away')
    expect((await run()).dispatched).toEqual([id])
    expect([...jobs]).toEqual([`${id}-3`])
  })
})
