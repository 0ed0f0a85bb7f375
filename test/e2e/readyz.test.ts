import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { startExportWorker } from '../../src/compose-worker.ts'
import { createLogger } from '../../src/logger.ts'
import { testKeys } from '../support/api-keys.ts'
import { ask } from '../support/ask.ts'
import { createTestDatabase } from '../support/database.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { expectNoSecrets } from '../support/secrets.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const allFine = { control_database: 'ok', source_database: 'ok', queue: 'ok', bucket: 'ok' }

/** A server whose databases and store are behind proxies, and a worker of it. */
async function setup() {
  const [control, source] = [
    await createTestDatabase(onTestFinished),
    await createTestDatabase(onTestFinished),
  ]
  const proxies = {
    control_database: await createFaultProxy(control.url, onTestFinished),
    source_database: await createFaultProxy(source.url, onTestFinished),
    bucket: await createFaultProxy(inject('stack').S3_ENDPOINT, onTestFinished),
  }
  const system = await startTestSystem(onTestFinished, {
    worker: false,
    environment: {
      ...testKeys({ anna: 'read' }).variables,
      DATABASE_URL: proxies.control_database.url,
      SOURCE_DATABASE_URL: proxies.source_database.url,
      S3_ENDPOINT: proxies.bucket.url,
    },
  })
  const logger = createLogger({ level: 'silent' })
  const worker = await startExportWorker({ ...system.config, workerPort: 0 }, logger)
  onTestFinished(() => worker.stop())
  return { proxies, system, urls: [system.url, worker.url] }
}

const look = async (url: string) => {
  const { status, json, text } = await ask(url, 'GET', '/readyz')
  expectNoSecrets(text)
  return { code: status, ...(json as { status: string; parts?: Record<string, string> }) }
}
/** What it says once it says something about this part. */
const lookUntil = (url: string, part: string, state: string) =>
  until(async () => {
    const answer = await look(url)
    return answer.parts?.[part] === state && answer
  })

describe('/readyz of server and worker', () => {
  it('is open to anybody, and names each part', async () => {
    const { urls } = await setup()
    for (const url of urls) {
      expect(await look(url)).toEqual({ code: 200, status: 'ready', parts: allFine })
    }
  })

  it.each(['source_database', 'bucket', 'control_database'] as const)(
    'says so when the %s refuses connections, and when it is back',
    async (part) => {
      const { proxies, urls, system } = await setup()
      await proxies[part].shut()
      for (const url of urls) {
        const answer = await lookUntil(url, part, 'failed')
        expect(answer).toMatchObject({ code: 503, status: 'not ready' })
        expect((await ask(url, 'GET', '/healthz')).status).toBe(200)
      }
      const warnings = system.logLines.filter((line) => line.includes(`"part":"${part}"`))
      expect(warnings).toHaveLength(1)
      await proxies[part].open()
      for (const url of urls) expect((await lookUntil(url, part, 'ok')).code).toBe(200)
    },
  )

  it('waits for a part that is silent no longer than it may, and says which one it was', async () => {
    const { proxies, urls } = await setup()
    proxies.source_database.strike({ then: 'stall', from: 'both' })
    for (const url of urls) {
      const began = performance.now()
      const { code, parts } = await lookUntil(url, 'source_database', 'timed out')
      expect(performance.now() - began).toBeLessThan(8000)
      expect({ code, parts }).toEqual({
        code: 503,
        parts: { ...allFine, source_database: 'timed out' },
      })
    }
    proxies.source_database.heal()
    for (const url of urls) await lookUntil(url, 'source_database', 'ok')
  })
})
