import { describe, expect, it, onTestFinished } from 'vitest'
import { lastingPort } from '../../support/lasting-port.ts'
import { startRedis } from '../../support/redis-server.ts'
import { startCli } from '../../support/run-cli.ts'
import { createServiceSetup } from '../../support/service-setup.ts'
import { until } from '../../support/until.ts'

async function setup() {
  const port = await lastingPort()
  const { env } = await createServiceSetup(onTestFinished, {
    REDIS_URL: `redis://127.0.0.1:${port}`,
  })
  const startWaiting = async () => {
    const worker = startCli(onTestFinished, ['worker'], { env })
    await until(() => worker.output().stderr.includes('waiting for the queue'))
    return worker
  }
  return { port, env, startWaiting }
}

describe('without Redis', () => {
  it('a worker waits, and works once it is there', async () => {
    const { port, startWaiting } = await setup()
    const worker = await startWaiting()
    const redis = await startRedis(port)
    onTestFinished(() => redis.stop())
    await until(() => worker.output().stderr.includes('worker ready'))
  })

  it('a worker that waits stops when it is asked to', async () => {
    const { startWaiting } = await setup()
    const worker = await startWaiting()
    worker.signal('SIGTERM')
    expect((await worker.ended).code).toBe(0)
  })

  it('a server does not start, and says why', async () => {
    const { env } = await setup()
    const { code, stderr } = await startCli(onTestFinished, ['serve'], { env }).ended
    expect(code).toBe(23)
    expect(stderr).toMatch(/Redis at redis:\/\/127.0.0.1:\d+ cannot be reached: .*ECONNREFUSED/)
  })
})
