import { describe, expect, it, onTestFinished } from 'vitest'
import { InterruptedError, NotFoundError, SourceError } from '../../../src/errors.ts'
import type { JobOutcome } from '../../../src/queue/job-definition.ts'
import { deferred } from '../../support/deferred.ts'
import { until } from '../../support/until.ts'
import { newId, setupQueue } from './setup.ts'

const error = new SourceError('SOURCE_UNAVAILABLE', 'the source is away')
const done: JobOutcome = { outcome: 'done' }

describe('a job', () => {
  it('runs once, on one of several workers, with nothing but its id', async () => {
    const queue = await setupQueue(onTestFinished, { run: () => done })
    await Promise.all([queue.startWorker(), queue.startWorker(), queue.startWorker()])
    const ids = Array.from({ length: 12 }, newId)
    for (const id of ids) await queue.producer.enqueue({ id, dispatch: 1 })
    await until(() => queue.runs.length >= ids.length)
    await queue.empty()
    expect(queue.runs.map(({ payload }) => payload.exportId).sort()).toEqual([...ids].sort())
    expect(queue.runs[0]!.payload).toEqual({ exportId: queue.runs[0]!.payload.exportId })
  })

  it('waits for a worker to come', async () => {
    const queue = await setupQueue(onTestFinished, { run: () => done })
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    expect(await queue.counts()).toMatchObject({ waiting: 1 })
    await queue.startWorker()
    await until(() => queue.runs.length === 1)
    await queue.empty()
  })

  it('of an archive waits until no other does, also when it was interrupted', async () => {
    const gate = deferred()
    const archived = {
      id: newId(),
      archive: { name: 'services', date: '2026-01-01', generation: 1 },
    }
    const queue = await setupQueue(onTestFinished, {
      run: async ({ number }) => {
        if (number > 1) return done
        await gate.promise
        return { outcome: 'interrupted', error: new InterruptedError('stopping') }
      },
    })
    await queue.producer.enqueue({ ...archived, dispatch: 1 })
    await queue.startWorker({ concurrency: 1 })
    await until(() => queue.runs.length === 1)
    await queue.producer.enqueue({ ...archived, dispatch: 2 })
    expect(await queue.producer.look(archived.id, 2)).toBe('waiting')
    const others = [newId(), newId()]
    for (const id of others) await queue.producer.enqueue({ id, dispatch: 1 })
    gate.resolve()
    await until(() => queue.runs.length === 5)
    await queue.empty()
    expect(queue.runs.map(({ payload }) => payload.exportId)).toEqual([
      archived.id,
      ...others,
      ...[archived.id, archived.id],
    ])
  })

  it('is one however often the same dispatch is enqueued', async () => {
    const queue = await setupQueue(onTestFinished, { run: () => done })
    const id = newId()
    await Promise.all(Array.from({ length: 5 }, () => queue.producer.enqueue({ id, dispatch: 1 })))
    expect(await queue.counts()).toMatchObject({ waiting: 1 })
    await queue.producer.enqueue({ id, dispatch: 2 })
    expect(await queue.counts()).toMatchObject({ waiting: 2 })
    await queue.startWorker()
    await until(() => queue.runs.length === 2)
    await queue.empty()
  })

  it('waits, is taken, waits again when it is put off, and is gone in the end', async () => {
    const gate = deferred()
    const queue = await setupQueue(onTestFinished, {
      run: async ({ number }) => {
        if (number === 1) return { outcome: 'later', until: new Date(Date.now() + 1500) }
        await gate.promise
        return done
      },
    })
    const id = newId()
    const look = () => queue.producer.look(id, 1)
    expect(await look()).toBe('gone')
    await queue.producer.enqueue({ id, dispatch: 1 })
    expect(await look()).toBe('waiting')
    await queue.startWorker()
    await until(() => queue.runs.length === 1)
    await until(async () => (await look()) === 'waiting')
    await until(() => queue.runs.length === 2)
    expect(await look()).toBe('taken')
    expect(await queue.producer.look(id, 2)).toBe('gone')
    gate.resolve()
    await queue.empty()
    await until(async () => (await look()) === 'gone')
  })

  it('can be enqueued again under its id once it has ended', async () => {
    const queue = await setupQueue(onTestFinished, {
      run: ({ number }) => (number === 1 ? { outcome: 'failed', error } : done),
    })
    await queue.startWorker()
    const id = newId()
    await queue.producer.enqueue({ id, dispatch: 1 })
    await until(() => queue.runs.length === 1)
    await queue.empty()
    await queue.producer.enqueue({ id, dispatch: 1 })
    await until(() => queue.runs.length === 2)
    await queue.empty()
  })
})

describe('a job that ends', () => {
  it('with retry comes again after the backoff, as often as it says so', async () => {
    const backoffMs = 400
    const queue = await setupQueue(onTestFinished, {
      backoffMs,
      run: ({ number }) => (number < 3 ? { outcome: 'retry', error } : done),
    })
    await queue.startWorker()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 3)
    await queue.empty()
    expect(queue.attemptsMade).toEqual([1, 2])
    const [first, second, third] = queue.runs.map(({ startedAt }) => startedAt)
    expect(second! - first!).toBeGreaterThanOrEqual(backoffMs)
    expect(third! - second!).toBeGreaterThanOrEqual(backoffMs)
  })

  it('with failed does not come again', async () => {
    const queue = await setupQueue(onTestFinished, { run: () => ({ outcome: 'failed', error }) })
    await queue.startWorker()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 1)
    await queue.empty()
    expect(queue.runs).toHaveLength(1)
    expect(queue.attemptsMade).toEqual([])
  })

  it('with later waits until then, and spends no attempt', async () => {
    let time = 0
    const queue = await setupQueue(onTestFinished, {
      run({ number }) {
        if (number === 1) {
          time = Date.now() + 700
          return { outcome: 'later', until: new Date(time) }
        }
        return number === 2 ? { outcome: 'retry', error } : done
      },
    })
    await queue.startWorker()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 3)
    expect(queue.runs[1]!.startedAt).toBeGreaterThanOrEqual(time)
    expect(queue.attemptsMade).toEqual([1])
  })

  it('with later does not keep other jobs from running', async () => {
    const queue = await setupQueue(onTestFinished, {
      run: ({ number }) =>
        number === 1 ? { outcome: 'later', until: new Date(Date.now() + 600_000) } : done,
    })
    await queue.startWorker()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 1)
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 2)
    await until(async () => (await queue.counts())['active'] === 0)
    expect(await queue.counts()).toMatchObject({ delayed: 1, waiting: 0 })
  })
})

/** Such as a right that the control database lacks for a moment, in a rollout. */
const permanent = new SourceError('SOURCE_QUERY_FAILED', 'x')

describe('a job that throws', () => {
  it.each([
    ['comes again after an error that may pass', error, 2],
    ['comes again after an error that nobody knows', new TypeError('a bug'), 2],
    ['comes again after a permanent one: the record has the last word', permanent, 2],
    ['does not come again when there is no record', new NotFoundError('x'), 1],
  ])('%s', async (_title, thrown, runs) => {
    const queue = await setupQueue(onTestFinished, {
      run: ({ number }) => {
        if (number === 1) throw thrown
        return done
      },
    })
    await queue.startWorker()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === runs)
    await queue.empty()
    expect(queue.runs).toHaveLength(runs)
  })
})
