import { describe, expect, it, onTestFinished } from 'vitest'
import { freePort } from '../../../src/embedded/free-port.ts'
import { startWorker } from '../../../src/queue/worker.ts'
import { createProducer } from '../../../src/queue/producer.ts'
import { deferred } from '../../support/deferred.ts'
import { startRedis } from '../../support/redis-server.ts'
import { until } from '../../support/until.ts'
import { newId } from '../queue/setup.ts'
import { open } from './setup.ts'

describe('a worker whose Redis is away', () => {
  it('stops, although it cannot say how its last job ended', async () => {
    const port = await freePort()
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
    await producer.enqueue(newId(), 1)
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
  })
})
