import { describe, expect, it, onTestFinished } from 'vitest'
import type { JobOutcome } from '../../../src/queue/job-definition.ts'
import { deferred } from '../../support/deferred.ts'
import { until } from '../../support/until.ts'
import { newId, setupQueue } from './setup.ts'

const done: JobOutcome = { outcome: 'done' }

describe('a job whose lock was lost while it ran', () => {
  /** A worker whose first run waits until it is told to end, as `outcome` says. */
  async function lostLock(outcome: JobOutcome) {
    const gate = deferred()
    const queue = await setupQueue(onTestFinished, {
      run: async ({ number }) => {
        if (number > 1) return done
        await gate.promise
        return outcome
      },
    })
    await queue.startWorker()
    const id = newId()
    await queue.producer.enqueue({ id, dispatch: 1 })
    await until(() => queue.runs.length === 1)
    return { queue, gate, id }
  }

  it('goes on to its end: the lease of the record decides, not the queue', async () => {
    const { queue, gate, id } = await lostLock(done)
    await queue.backend.lose()
    // enqueued again, as the reconciler does; the first run has not heard of it
    await queue.producer.enqueue({ id, dispatch: 2 })
    await until(() => queue.runs.length === 2)
    expect(queue.runs[0]!.signal.aborted).toBe(false)
    gate.resolve()
    await queue.empty()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 3)
  })

  it.each([
    ['gives its export back', { outcome: 'interrupted', error: new Error('stopping') }],
    ['is to run again', { outcome: 'retry', error: new Error('away') }],
    ['is to run later', { outcome: 'later', until: new Date() }],
    ['has failed', { outcome: 'failed', error: new Error('for good') }],
  ] as const)('and that then %s, does not stop the worker', async (_title, outcome) => {
    const { queue, gate } = await lostLock(outcome)
    await queue.backend.lose()
    gate.resolve()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 2)
    await queue.empty()
  })
})
