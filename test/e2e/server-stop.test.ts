import { expect, it, onTestFinished } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

it('a server stops in time although an answer waits for a control database that has gone silent', async () => {
  const database = await createTestDatabase(onTestFinished)
  const proxy = await createFaultProxy(database.url, onTestFinished)
  const system = await startTestSystem(onTestFinished, {
    worker: false,
    environment: { DATABASE_URL: proxy.url, SHUTDOWN_GRACE_SECONDS: '1' },
  })
  expect((await fetch(`${system.url}/exports`)).status).toBe(200)
  proxy.strike({ then: 'stall', forGood: true })
  let asked = false
  const answer = fetch(`${system.url}/exports`).catch((error: unknown) => error)
  await until(async () => (asked = (await fetch(`${system.url}/healthz`)).ok))
  expect(asked).toBe(true)
  const began = performance.now()
  await system.stopServer()
  expect(performance.now() - began).toBeLessThan(8000)
  expect(await answer).toBeInstanceOf(TypeError)
})
