import { describe, expect, it, onTestFinished } from 'vitest'
import { InterruptedError, SourceError } from '../../../src/errors.ts'
import type { JobOutcome } from '../../../src/queue/job-definition.ts'
import { deferred } from '../../support/deferred.ts'
import { until } from '../../support/until.ts'
import { abortOf, newId, setupQueue, type Run } from './setup.ts'

const error = new SourceError('SOURCE_UNAVAILABLE', 'the source is away')
const done: JobOutcome = { outcome: 'done' }

/** Ends as an interruption when its signal says so. */
const interruptible = async ({ signal }: Run): Promise<JobOutcome> => ({
  outcome: 'interrupted',
  error: (await abortOf(signal)) as Error,
})

describe('a worker that stops', () => {
  it('gives its job back, no attempt spent, and another worker takes it', async () => {
    const queue = await setupQueue(onTestFinished, {
      run(run) {
        if (run.number === 1) return interruptible(run)
        return run.number === 2 ? { outcome: 'retry', error } : done
      },
    })
    const worker = await queue.startWorker()
    const id = newId()
    await queue.producer.enqueue({ id, dispatch: 1 })
    await until(() => queue.runs.length === 1)
    await worker.stop({ graceMs: 0 })
    expect(queue.runs[0]!.signal.reason).toBeInstanceOf(InterruptedError)
    // not even the job that it has just given back
    expect(queue.runs).toHaveLength(1)
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 })

    await queue.startWorker()
    await until(() => queue.runs.length === 3)
    await queue.empty()
    expect(queue.runs.map(({ payload }) => payload.exportId)).toEqual([id, id, id])
    // the first attempt that counted was the retry
    expect(queue.attemptsMade).toEqual([1])
  })

  it('lets its job finish within the grace period', async () => {
    const finish = deferred()
    const queue = await setupQueue(onTestFinished, {
      async run({ signal }) {
        await finish.promise
        return signal.aborted ? { outcome: 'failed', error } : done
      },
    })
    const worker = await queue.startWorker()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 1)
    let stopped = false
    const stopping = worker.stop({ graceMs: 60_000 }).then(() => (stopped = true))
    await until(() => queue.counts())
    expect(stopped).toBe(false)
    finish.resolve()
    await stopping
    expect(queue.runs[0]!.signal.aborted).toBe(false)
    await queue.empty()
  })

  it('takes no more jobs, although it has a slot that is free', async () => {
    let finish = deferred()
    const queue = await setupQueue(onTestFinished, {
      async run() {
        await finish.promise
        return done
      },
    })
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    // the look for a job that is under way while it closes is a race: several times, so that it shows
    for (let round = 1; round <= 8; round++) {
      finish = deferred()
      const runs = queue.runs.length
      const worker = await queue.startWorker()
      await until(() => queue.runs.length === runs + 1)
      const stopping = worker.stop({ graceMs: 60_000 })
      await queue.producer.enqueue({ id: newId(), dispatch: 1 })
      finish.resolve()
      await stopping
      expect(queue.runs).toHaveLength(runs + 1)
      expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0, failed: 0 })
    }
  })

  it('interrupts its job when the grace period ends', async () => {
    const queue = await setupQueue(onTestFinished, { run: interruptible })
    const worker = await queue.startWorker()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 1)
    const began = Date.now()
    await worker.stop({ graceMs: 300 })
    expect(Date.now() - began).toBeGreaterThanOrEqual(290)
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0 })
  })

  it('stops once, however often it is told', async () => {
    const queue = await setupQueue(onTestFinished, { run: () => done })
    const worker = await queue.startWorker()
    await Promise.all([worker.stop({ graceMs: 0 }), worker.stop({ graceMs: 1000 })])
    await worker.stop({ graceMs: 0 })
  })
})
