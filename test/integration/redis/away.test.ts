import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { QueueError } from '../../../src/errors.ts'
import { startWorker } from '../../../src/queue/worker.ts'
import { createProducer } from '../../../src/queue/producer.ts'
import { deferred } from '../../support/deferred.ts'
import { createFaultProxy } from '../../support/fault-proxy.ts'
import { startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'
import { newId } from '../queue/setup.ts'
import { open, redisWith } from './setup.ts'

describe('a worker whose Redis is away', () => {
  it('stops, although it cannot say how its last job ended', async () => {
    const port = await lastingPort()
    const redis = await startRedis(port)
    onTestFinished(() => redis.stop())
    const { opened, logger, logLines } = open({ url: `redis://127.0.0.1:${port}` })
    const connection = await opened
    const gate = deferred()
    const definition = {
      name: 'gated',
      backoffMs: () => 1,
      run: () => gate.promise.then(() => ({ outcome: 'done' as const })),
    }
    const producer = await createProducer(connection, definition.name, logger)
    onTestFinished(() => producer.close())
    const options = { concurrency: 1, lockMs: 30_000, logger }
    const worker = await startWorker(connection, definition, undefined, options)
    onTestFinished(() => worker.stop({ graceMs: 0 }))
    await producer.enqueue({ id: newId(), dispatch: 1 })
    await until(() => logLines.some((line) => line.includes('job started')))

    process.kill(redis.pid, 'SIGKILL')
    await redis.failed
    const stopping = worker.stop({ graceMs: 60_000 })
    gate.resolve()
    await until(() => logLines.some((line) => line.includes('job done')))
    const began = performance.now()
    await stopping
    // 5 s to tell the queue, 2 s to close its connections
    expect(performance.now() - began).toBeLessThan(9000)
    await producer.close()

    const again = await startRedis(port)
    onTestFinished(() => again.stop())
    const client = new Redis({ port })
    onTestFinished(() => client.disconnect())
    // longer than any pause before an attempt to connect
    const back = performance.now()
    await until(() => performance.now() - back > 2500)
    expect(
      String(await client.client('LIST'))
        .trim()
        .split('\n'),
    ).toHaveLength(1)
  })
})

describe('a producer whose Redis is silent', () => {
  async function setup() {
    const port = await redisWith()
    const proxy = await createFaultProxy(`redis://127.0.0.1:${port}`, onTestFinished)
    const { opened, logger } = open({ url: proxy.url })
    const producer = await createProducer(await opened, 'silent', logger)
    onTestFinished(() => producer.close())
    await producer.enqueue({ id: newId(), dispatch: 1 })
    const began = performance.now()
    const failure = async () => {
      await expect(producer.enqueue({ id: newId(), dispatch: 1 })).rejects.toThrow(QueueError)
      return performance.now() - began
    }
    return { proxy, failure }
  }

  it('fails within seconds, rather than when the connection is given up', async () => {
    const { proxy, failure } = await setup()
    proxy.strike({ then: 'stall', from: 'both' })
    expect(await failure()).toBeLessThan(8000)
  })

  it('fails at once when its connection breaks before the answer', async () => {
    const { proxy, failure } = await setup()
    proxy.strike({ then: 'stall', from: 'server' })
    const failed = failure()
    await proxy.shut()
    expect(await failed).toBeLessThan(3000)
  })

  it('fails at once when it has no connection, and waits for none', async () => {
    const { proxy, failure } = await setup()
    // ends those that there are; new ones are never answered
    proxy.plan(() => ({ then: 'stall', from: 'both' }))
    await until(() => proxy.connections() > 0)
    expect(await failure()).toBeLessThan(3000)
  })
})
