import { describe, expect, it, onTestFinished } from 'vitest'
import { startExportWorker } from '../../../src/compose-worker.ts'
import { createLogger } from '../../../src/logger.ts'
import { createResources } from '../../../src/runtime/resources.ts'
import { fixtureRange, insertFixtureServices } from '../../support/fixture-services.ts'
import { createKillableRedis } from '../../support/killable-redis.ts'
import { startKillableSystem } from '../../support/killable-system.ts'
import { lastingPort } from '../../support/lasting-port.ts'
import type { RunningCli } from '../../support/run-cli.ts'
import { gateSource } from '../../support/slow-source.ts'
import { startTestSystem } from '../../support/system.ts'
import { testQueue } from '../../support/test-queue.ts'
import { until } from '../../support/until.ts'

const range = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T18:00:00Z' }

/** What a worker logged about jobs that ended. */
const ended = (worker: RunningCli) =>
  worker
    .output()
    .stderr.split('\n')
    .filter((line) => line.includes('"job done"'))
    .map((line) => JSON.parse(line) as { export_id: string; state?: string })

describe('Redis, killed and emptied while forty exports run', () => {
  it('all forty complete, none twice', { timeout: 180_000 }, async () => {
    const system = await startKillableSystem(onTestFinished)
    const openGate = await gateSource(
      { pool: system.source, url: system.source.url },
      onTestFinished,
    )
    const server = system.startServer()
    await until(() => server.output().stderr.includes('server ready'))
    const workers = Array.from({ length: 4 }, () => system.startWorker())
    for (const worker of workers) await until(() => worker.output().stderr.includes('worker ready'))

    const requests = Array.from({ length: 40 }, () =>
      system.client.request({ ...range, export_content: true }),
    )
    const ids = (await Promise.all(requests)).map(({ id }) => id)
    // as many as there are places for
    await until(async () => (await system.client.list({ state: 'running' })).exports.length === 8)
    await system.queue!.kill()
    await system.queue!.start()
    await openGate()

    for (const id of ids) {
      expect(await system.client.wait(id)).toMatchObject({ state: 'completed', attempt: 1 })
    }
    const completed = workers.flatMap(ended).filter(({ state }) => state === 'completed')
    expect(completed.map((line) => line.export_id).sort()).toEqual([...ids].sort())
    expect(await system.contents.keys()).toHaveLength(40)
  })
})

describe('while Redis is away', () => {
  async function setup() {
    const resources = createResources()
    onTestFinished(() => resources.release())
    const redis = await createKillableRedis(resources, {
      name: 'queue',
      port: await lastingPort(),
      onDeath: () => undefined,
    })
    const system = await startTestSystem(onTestFinished, { environment: { REDIS_URL: redis.url } })
    await insertFixtureServices(system.database.pool)
    return { redis, ...system }
  }

  it('a request is answered with 503 at once, and its export is run once Redis is back', async () => {
    const { redis, client, url, logLines } = await setup()
    await redis.kill()
    const began = performance.now()
    const response = await fetch(`${url}/exports`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fixtureRange),
    })
    expect(performance.now() - began).toBeLessThan(2000)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(await response.json()).toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      detail: expect.stringMatching(/^The queue cannot be reached: /) as string,
    })
    const { exports: records } = await client.list()
    expect(records).toMatchObject([{ state: 'queued' }])

    // long enough for dozens of attempts to connect
    await until(() => performance.now() - began > 10_000)
    const troubles = logLines.filter((line) => /"level":"(warn|error)"/.test(line))
    expect(troubles.length).toBeLessThan(30)
    await redis.start()
    expect(await client.wait(records[0]!.id)).toMatchObject({ state: 'completed', attempt: 1 })
  })

  it('an idle worker stops all the same', async () => {
    const { redis, config } = await setup()
    const worker = await startExportWorker(config, createLogger({ level: 'silent' }))
    onTestFinished(() => worker.stop())
    await redis.kill()
    const began = performance.now()
    await worker.stop()
    expect(performance.now() - began).toBeLessThan(15_000)
  })
})

describe('a queue that was moved to Redis', () => {
  it('loses no export that was asked for before', async () => {
    const before = await startTestSystem(onTestFinished, {
      worker: false,
      environment: { REDIS_URL: '', REDIS_PREFIX: '' },
    })
    await insertFixtureServices(before.database.pool)
    expect(before.config.redis).toBeUndefined()
    const { id } = await before.client.request({ ...fixtureRange })
    const { REDIS_URL: url = '', REDIS_PREFIX: prefix = '' } = testQueue(before.database).variables
    const redis = { url, prefix, cluster: false, sentinel: undefined }
    const config = { ...before.config, redis }
    const worker = await startExportWorker(config, createLogger({ level: 'silent' }))
    onTestFinished(() => worker.stop())
    expect(await before.client.wait(id)).toMatchObject({ state: 'completed', attempt: 1 })
  })
})
