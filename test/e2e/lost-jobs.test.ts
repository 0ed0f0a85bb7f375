import { describe, expect, it, onTestFinished } from 'vitest'
import { startExportWorker } from '../../src/compose-worker.ts'
import { createLogger } from '../../src/logger.ts'
import { countTraces } from '../support/exports-table.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { testQueue } from '../support/test-queue.ts'

async function startWorker({ config, logLines }: TestSystem): Promise<void> {
  const write = (line: string) => void (logLines as string[]).push(line)
  const worker = await startExportWorker(config, createLogger({ level: 'debug' }, { write }))
  onTestFinished(() => worker.stop())
}

describe('a queue that lost its jobs', () => {
  it('loses no export: each is enqueued again, and runs once', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    await insertFixtureServices(system.database.pool)
    const requested = await Promise.all(
      Array.from({ length: 12 }, () => system.client.request({ ...fixtureRange })),
    )
    await testQueue(system.database).lose()
    expect(await countTraces(system.database)).toEqual({ records: 12, jobs: 0 })
    // as old as those that a queue may have lost; two workers look after them
    await system.database.pool.query(
      `update longhaul.exports set created_at = created_at - interval '1 minute'`,
    )
    await startWorker(system)
    await startWorker(system)
    const finished = await Promise.all(requested.map(({ id }) => system.client.wait(id)))
    for (const view of finished) {
      expect(view).toMatchObject({ state: 'completed', attempt: 1, artifact: { rows: 5 } })
    }
    expect(await system.bucket.keys()).toHaveLength(12)
    expect(system.logLines.join('')).toContain('exports without a job enqueued')
  })
})
