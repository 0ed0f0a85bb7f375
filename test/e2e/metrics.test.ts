import net from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startExportWorker } from '../../src/compose-worker.ts'
import { ConfigError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { ask } from '../support/ask.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { metricValues } from '../support/metric-values.ts'
import { serviceEnvironment, startCli } from '../support/run-cli.ts'
import { makeSourceQuick, makeSourceSlow } from '../support/slow-source.ts'
import { startTestSystem } from '../support/system.ts'
import { expectProblem } from '../support/strictly.ts'
import { until } from '../support/until.ts'

const look = async (url: string) => {
  const answer = await ask(url, 'GET', '/metrics')
  expect(answer.status).toBe(200)
  expect(answer.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
  return metricValues(answer.text)
}

describe('the metrics of a worker', () => {
  it('have the age of the snapshot that an export reads', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    await makeSourceSlow(system.database)
    const logger = createLogger({ level: 'silent' })
    const worker = await startExportWorker(system.config, logger)
    onTestFinished(() => worker.stop())
    expect(await look(worker.url)).toMatchObject({
      longhaul_snapshots: 0,
      longhaul_snapshot_age_seconds: 0,
      longhaul_sweep_unknown_entries: 0,
      'longhaul_sweeps_total{outcome="failed"}': 0,
    })
    const { id } = await system.client.request({ ...fixtureRange })
    await until(async () => (await look(worker.url))['longhaul_snapshot_age_seconds']! > 1)
    expect(await look(worker.url)).toMatchObject({ longhaul_snapshots: 1 })
    await makeSourceQuick(system.database)
    expect(await system.client.wait(id)).toMatchObject({ state: 'completed' })
    expect(await look(worker.url)).toMatchObject({ longhaul_snapshot_age_seconds: 0 })
  })

  it('are beside its health, and nothing else is there', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const worker = await startExportWorker(system.config, createLogger({ level: 'silent' }))
    onTestFinished(() => worker.stop())
    expect(await ask(worker.url, 'GET', '/healthz')).toMatchObject({
      status: 200,
      json: { status: 'ok' },
    })
    const miss = expectProblem(await ask(worker.url, 'GET', '/exports'), 404, 'ROUTE_NOT_FOUND')
    expect(miss.hint).toContain('longhaul serve')
    expectProblem(await ask(worker.url, 'POST', '/metrics'), 405, 'METHOD_NOT_ALLOWED')
  })

  it('are on a port that is free, or the worker does not start', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const taken = new URL(system.url).port
    const config = { ...system.config, workerPort: Number(taken) }
    const starting = startExportWorker(config, createLogger({ level: 'silent' }))
    const refused = expect(starting).rejects
    await refused.toBeInstanceOf(ConfigError)
    await refused.toMatchObject({
      problems: [expect.stringMatching(`WORKER_PORT: .*${taken}: .*set WORKER_PORT to another`)],
    })
  })

  it('do not keep a worker from stopping', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const env = serviceEnvironment(system)
    const worker = startCli(onTestFinished, ['worker'], { env })
    const ready = await until(
      () => /"url":"([^"]+)","msg":"worker ready"/.exec(worker.output().stderr) ?? undefined,
    )
    // a connection that is kept, and one that never ends its request
    expect((await fetch(`${ready[1]!}/healthz`)).status).toBe(200)
    const { hostname, port } = new URL(ready[1]!)
    const unfinished = net.connect(Number(port), hostname)
    onTestFinished(() => void unfinished.destroy())
    unfinished.on('error', () => undefined)
    unfinished.write('GET /metrics HTTP/1.1\r\nHost: x\r\n')
    worker.signal('SIGTERM')
    expect((await worker.ended).code).toBe(0)
  })
})

describe('the metrics of a server', () => {
  it('have the age of the snapshot that a stream reads', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    await makeSourceSlow(system.database)
    const leaving = new AbortController()
    const path = '/genesys/1/cs/maintenance/services/stream'
    const query = new URLSearchParams({ ...fixtureRange })
    const stream = fetch(`${system.url}${path}?${query.toString()}`, { signal: leaving.signal })
    const left = stream.then((answer) => answer.text()).catch(() => undefined)
    await until(async () => (await look(system.url))['longhaul_snapshots'] === 1)
    leaving.abort()
    await left
    await until(async () => (await look(system.url))['longhaul_snapshots'] === 0)
  })
})

describe('the metrics of both', () => {
  it('tell what waits, what ended, and how long it took', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    await insertFixtureServices(system.database.pool)
    const ids = (
      await Promise.all([1, 2].map(() => system.client.request({ ...fixtureRange })))
    ).map(({ id }) => id)
    expect(await look(system.url)).toMatchObject({
      'longhaul_exports_requested_total{dataset="services"}': 2,
      'longhaul_exports{dataset="services",state="queued"}': 2,
      'longhaul_http_request_duration_seconds_count{method="POST",route="/exports",status="202"}': 2,
    })
    const worker = await startExportWorker(system.config, createLogger({ level: 'silent' }))
    onTestFinished(() => worker.stop())
    for (const id of ids) await system.client.wait(id)
    await until(
      async () =>
        (await look(worker.url))['longhaul_exports{dataset="services",state="queued"}'] === 0,
    )
    expect(await look(worker.url)).toMatchObject({
      'longhaul_exports_ended_total{dataset="services",state="completed"}': 2,
      'longhaul_exported_rows_total{dataset="services"}': 10,
      'longhaul_export_duration_seconds_count{dataset="services"}': 2,
      'longhaul_export_queue_seconds_count{dataset="services"}': 2,
      'longhaul_oldest_queued_seconds{dataset="services"}': 0,
      'longhaul_control_pool{state="waiting"}': 0,
      longhaul_exports_running: 0,
    })
    const server = await look(system.url)
    expect(server['nodejs_eventloop_lag_p99_seconds']).toBeGreaterThan(0)
    expect(server['longhaul_control_pool{state="idle"}']).toBeGreaterThan(0)
  })

  it('name no path that nobody declared', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    for (const path of ['/a', '/b', '/exports/%zz', '/exports/x'])
      await ask(system.url, 'GET', path)
    const routes = Object.keys(await look(system.url))
      .filter((name) => name.startsWith('longhaul_http_request_duration_seconds_count'))
      .map((name) => /route="([^"]*)"/.exec(name)?.[1])
    expect(new Set(routes)).toEqual(new Set(['none', '/exports/:id']))
  })
})
