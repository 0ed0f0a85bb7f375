import { describe, expect, it, onTestFinished } from 'vitest'
import { QueueError } from '../../../src/errors.ts'
import { createProducer } from '../../../src/queue/producer.ts'
import { createFaultProxy } from '../../support/fault-proxy.ts'
import { until } from '../../support/until.ts'
import { memoryLogger, newId, setupQueue } from './setup.ts'

async function setup() {
  const queue = await setupQueue(onTestFinished, { run: () => ({ outcome: 'done' }) })
  const proxy = await createFaultProxy(queue.backend.url, onTestFinished)
  const connection = await queue.backend.connect(proxy.url)
  return { queue, proxy, connection }
}

describe('a queue whose connections break', () => {
  // each of them somewhere else between login and the last statement
  it.each([400, 700, 900, 1000, 1200, 1500, 2500, 4000])(
    'after %i bytes, while it starts, refuses, and ends nobody',
    async (afterBytes) => {
      const { queue, proxy, connection } = await setup()
      const { logger } = memoryLogger()
      proxy.strike({ then: 'drop', afterBytes })
      const starting = createProducer(connection, queue.definition.name, logger)
      const outcome = await starting.then(
        (producer) => producer.close(),
        (error: unknown) => error,
      )
      if (outcome !== undefined) expect(outcome).toBeInstanceOf(QueueError)
    },
  )

  it('again and again is not asked without a pause, and works once they hold', async () => {
    const { queue, proxy, connection } = await setup()
    await queue.startWorker({ connection })
    proxy.strike({ then: 'reset' })
    const broken = performance.now()
    await until(() => performance.now() - broken > 1500)
    const errors = queue.logLines.filter((line) => line.includes('queue error'))
    expect(errors.length).toBeGreaterThan(0)
    expect(errors.length).toBeLessThan(20)
    proxy.heal()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 1)
  })

  it('by falling silent for good is taken up again on others', { timeout: 90_000 }, async () => {
    const { queue, proxy, connection } = await setup()
    await queue.startWorker({ connection })
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    // what would end the job may claim the next one: its answer must not be lost here
    await until(() => queue.runs.length === 1)
    await queue.empty()
    proxy.strike({ then: 'stall', forGood: true })
    proxy.heal()
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 2, { timeoutMs: 60_000 })
  })

  it('by falling silent for good does not keep a worker from stopping', async () => {
    const { queue, proxy, connection } = await setup()
    const worker = await queue.startWorker({ connection })
    await queue.producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => queue.runs.length === 1)
    await queue.empty()
    proxy.strike({ then: 'stall', forGood: true })
    proxy.heal()
    const began = performance.now()
    await worker.stop({ graceMs: 0 })
    expect(performance.now() - began).toBeLessThan(15_000)
  })
})
