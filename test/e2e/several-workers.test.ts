import { describe, expect, it, onTestFinished } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { startExportWorker } from '../../src/compose-worker.ts'
import type { ExportView } from '../../src/http/schemas.ts'
import { createLogger } from '../../src/logger.ts'
import { testKeys } from '../support/api-keys.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { runCli } from '../support/run-cli.ts'
import { gateSource } from '../support/slow-source.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** @returns the ids of exports in the order in which this worker started and ended them */
async function startWorker({ config }: TestSystem) {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const worker = await startExportWorker(
    { ...config, workerPort: 0 },
    createLogger({ level: 'info' }, { write }),
  )
  onTestFinished(() => worker.stop())
  const idsOf = (message: string) =>
    lines
      .filter((line) => line.includes(`"msg":"${message}"`))
      .flatMap((line) => (JSON.parse(line) as { export_id?: string }).export_id ?? [])
  return { started: () => idsOf('job started'), done: () => idsOf('job done') }
}

describe('four workers and forty exports', () => {
  it('share them, and run each one once', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const openGate = await gateSource(system.database, onTestFinished)
    const workers = await Promise.all(Array.from({ length: 4 }, () => startWorker(system)))
    const requests = Array.from({ length: 40 }, () => system.client.request({ ...fixtureRange }))
    const ids = (await Promise.all(requests)).map(({ id }) => id)
    // nobody has more than its share while all of them last
    await until(() => workers.every(({ started }) => started().length === 2))
    await openGate()
    for (const id of ids) {
      expect(await system.client.wait(id)).toMatchObject({ state: 'completed', attempt: 1 })
    }
    const runs = await until(() => {
      const done = workers.flatMap((worker) => worker.done())
      return done.length >= 40 && done
    })
    expect([...runs].sort()).toEqual([...ids].sort())
    const shares = workers.map(({ done }) => done().length)
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(2)
    expect(await system.bucket.keys()).toHaveLength(40)
  })
})

describe('EXPORT_CONCURRENCY_PER_KEY', () => {
  const keys = testKeys({ anna: 'export', bert: 'export' })

  /** The most that ran at the same time, by the times of their attempts. */
  const mostAtOnce = (views: readonly ExportView[]) => {
    const changes = views
      .flatMap(({ attempts }) =>
        attempts.flatMap(({ started_at, ended_at }) => [
          { at: started_at, by: 1 },
          { at: ended_at, by: -1 },
        ]),
      )
      // at the same instant, the one that ends makes room
      .sort((a, b) => a.at.localeCompare(b.at) || a.by - b.by)
    let running = 0
    return Math.max(...changes.map(({ by }) => (running += by)))
  }

  it('keeps one client from taking all places', async () => {
    const environment = { ...keys.variables, EXPORT_CONCURRENCY_PER_KEY: '2' }
    const system = await startTestSystem(onTestFinished, { worker: false, environment })
    const openGate = await gateSource(system.database, onTestFinished)
    const workers = await Promise.all([startWorker(system), startWorker(system)])
    const anna = createClient({ url: system.url, apiKey: keys.keyOf('anna') })
    const bert = createClient({ url: system.url, apiKey: keys.keyOf('bert') })
    const ids: string[] = []
    for (let count = 0; count < 12; count++) ids.push((await anna.request({ ...fixtureRange })).id)
    const held = await until(async () => {
      const { exports: queued } = await anna.list({ state: 'queued' })
      return queued.every(({ held_back }) => held_back) && queued
    })
    expect(held).toHaveLength(10)
    const env = { LONGHAUL_URL: system.url, LONGHAUL_API_KEY: keys.keyOf('anna') }
    expect((await runCli(['list'], { env })).stdout.match(/ held back /g)).toHaveLength(10)
    expect((await runCli(['status', held[0]!.id], { env })).stdout).toContain('held back until')
    // there are four places, and anna has twelve exports: bert's begins at once
    const { id } = await bert.request({ ...fixtureRange })
    await until(async () => (await bert.status(id)).state === 'running')
    await openGate()
    const finished = []
    for (const each of ids) finished.push(await anna.wait(each))
    expect(mostAtOnce(finished)).toBe(2)
    for (const view of finished) expect(view).toMatchObject({ state: 'completed', attempt: 1 })
    expect(await bert.wait(id)).toMatchObject({ state: 'completed' })
    // in the order in which they were asked for
    const begun = [...finished].sort((a, b) => a.started_at!.localeCompare(b.started_at!))
    const order = begun.map((view) => ids.indexOf(view.id))
    for (const [turn, index] of order.entries()) expect(Math.abs(turn - index)).toBeLessThan(5)
    expect(workers.flatMap(({ started }) => started()).length).toBeGreaterThanOrEqual(13)
  })

  it('loses no export that was held back when the limit is taken away', async () => {
    const environment = { ...keys.variables, EXPORT_CONCURRENCY_PER_KEY: '1' }
    const system = await startTestSystem(onTestFinished, { worker: false, environment })
    await insertFixtureServices(system.database.pool)
    const anna = createClient({ url: system.url, apiKey: keys.keyOf('anna') })
    const requests = [1, 2, 3].map(() => anna.request({ ...fixtureRange }))
    const ids = (await Promise.all(requests)).map(({ id }) => id)
    // as a worker leaves them that dies before it enqueues the next one
    await system.database.pool.query('update longhaul.exports set held_back = true')
    await startWorker({ ...system, config: { ...system.config, exportConcurrencyPerKey: 0 } })
    for (const id of ids) expect(await anna.wait(id)).toMatchObject({ state: 'completed' })
  })
})
