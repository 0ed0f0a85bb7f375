import { describe, expect, it, onTestFinished } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { testKeys } from '../support/api-keys.ts'
import { ask } from '../support/ask.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { eventsOf, startCli, type RunningCli } from '../support/run-cli.ts'
import { expectNoSecrets } from '../support/secrets.ts'
import { createServiceSetup } from '../support/service-setup.ts'
import { expectExport } from '../support/strictly.ts'
import { gateSource, makeSourceQuick, makeSourceSlow } from '../support/slow-source.ts'
import { startTestSystem } from '../support/system.ts'
import { testQueue } from '../support/test-queue.ts'
import { startTraceCollector, type CollectedSpan } from '../support/trace-collector.ts'
import { until } from '../support/until.ts'

const headersSecret = 'x-tenant=of-the-collector-only'
const keys = testKeys({ anna: 'export' })
const traceId = '0af7651916cd43dd8448eb211c80319c'
const clientSpan = 'b7ad6b7169203331'

async function startServices(variables: Readonly<Record<string, string>>) {
  const { database, env } = await createServiceSetup(onTestFinished, {
    WORKER_PORT: '0',
    ...variables,
  })
  await insertFixtureServices(database.pool)
  const serve = startCli(onTestFinished, ['serve'], { env })
  const worker = startCli(onTestFinished, ['worker'], { env })
  const ready = async (service: RunningCli, message: string) =>
    String((await until(() => eventsOf(service).find(({ msg }) => msg === message)))['url'])
  const url = await ready(serve, 'server ready')
  const workerUrl = await ready(worker, 'worker ready')
  async function stop(): Promise<void> {
    for (const service of [serve, worker]) {
      service.signal('SIGTERM')
      expect((await service.ended).code).toBe(0)
    }
  }
  return { database, serve, worker, url, workerUrl, stop }
}

const traced = async () => {
  const collector = await startTraceCollector(onTestFinished)
  const variables = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    OTEL_EXPORTER_OTLP_HEADERS: headersSecret,
    OTEL_BSP_SCHEDULE_DELAY: '100',
    ...keys.variables,
    LEASE_SECONDS: '5',
    EXPORT_CONCURRENCY_PER_KEY: '1',
  }
  return { collector, ...(await startServices(variables)) }
}

const headers = {
  authorization: `Bearer ${keys.keyOf('anna')}`,
  'content-type': 'application/json',
}

async function request(url: string, traceparent?: string): Promise<string> {
  const answer = await ask(url, 'POST', '/exports', {
    headers: { ...headers, ...(traceparent === undefined ? {} : { traceparent }) },
    body: JSON.stringify(fixtureRange),
  })
  return expectExport(answer, 202).id
}

/** The span of each attempt of an export, in their order. */
const attemptsOf = (spans: readonly CollectedSpan[], id: string) =>
  spans
    .filter(
      ({ name, attributes }) =>
        name === 'export attempt' && attributes['longhaul.export_id'] === id,
    )
    .sort(
      (a, b) => Number(a.attributes['longhaul.attempt']) - Number(b.attributes['longhaul.attempt']),
    )

/** Names from the first span of the trace to this one. */
function pathTo(span: CollectedSpan, spans: readonly CollectedSpan[]): readonly string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentId)
  return [...(parent === undefined ? [] : pathTo(parent, spans)), span.name]
}

describe('traces', () => {
  it('have all that is done for an export in the trace of its request', async () => {
    const { collector, database, url, workerUrl, serve, worker, stop } = await traced()
    const { spans } = collector
    const id = await request(url, `00-${traceId}-${clientSpan}-01`)
    await createClient({ url, apiKey: keys.keyOf('anna') }).wait(id)
    for (const each of [url, workerUrl]) await fetch(new URL('/readyz', each))
    await stop()

    const own = spans.filter((span) => span.traceId === traceId)
    const [root] = own.filter(({ parentId }) => parentId === clientSpan)
    expect(root).toMatchObject({ name: 'POST /exports', service: 'longhaul-server' })
    expect(root?.attributes).toMatchObject({
      'http.response.status_code': 202,
      'http.route': '/exports',
    })
    const [attempt] = attemptsOf(own, id)
    expect(attempt).toMatchObject({ service: 'longhaul-worker', hasFailed: false })
    expect(attempt?.attributes).toMatchObject({
      'longhaul.attempt': 1,
      'longhaul.outcome': 'completed',
    })
    const toAttempt = [
      ...['POST /exports', 'add longhaul-exports.longhaul-exports'],
      ...['process longhaul-exports', 'export attempt'],
    ]
    const paths = own.map((span) => pathTo(span, own))
    expect(paths).toContainEqual([...toAttempt, 'open snapshot'])
    expect(paths).toContainEqual([...toAttempt, 'read segment'])
    expect(paths).toContainEqual([...toAttempt, 'upload', 'S3/PutObject'])
    const rows = own.map(({ name, attributes }) =>
      name === 'read segment' ? Number(attributes['longhaul.rows']) : 0,
    )
    expect(rows.reduce((sum, each) => sum + each)).toBe(5)

    // neither what machines ask for, nor what a queue does for itself; what a schedule adds begins one
    const others = spans.filter((span) => span.traceId !== traceId && span.parentId === '')
    expect(new Set(others.map(({ name }) => name))).toEqual(
      new Set(['GET /exports/:id', 'add longhaul-sweep.longhaul-sweep']),
    )
    const about = [...eventsOf(serve), ...eventsOf(worker)].filter(
      ({ export_id }) => export_id === id,
    )
    expect(about.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['export requested', 'job started', 'job done']),
    )
    for (const event of about) expect(event).toMatchObject({ trace_id: traceId })

    const kept = await database.pool.query('select * from longhaul.exports')
    const seen = [serve.output().stderr, worker.output().stderr, kept.rows, spans]
    expectNoSecrets(JSON.stringify(seen), [headersSecret.slice(9), keys.keyOf('anna')])
    expect(collector.headers[0]).toMatchObject({ 'x-tenant': 'of-the-collector-only' })
  })

  it('go on over attempts that fail', async () => {
    const { collector, database, url, stop } = await traced()
    const client = createClient({ url, apiKey: keys.keyOf('anna') })
    await makeSourceSlow(database)
    const id = await request(url, `00-${traceId}-${clientSpan}-01`)
    const asleep = `select from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()`
    await until(async () => (await database.pool.query(asleep)).rowCount !== 0)
    await makeSourceQuick(database)
    expect(await client.wait(id)).toMatchObject({ state: 'completed', attempt: 2 })
    await stop()
    const attempts = attemptsOf(collector.spans, id)
    expect(attempts.map((span) => span.traceId)).toEqual([traceId, traceId])
    expect(attempts.map(({ hasFailed }) => hasFailed)).toEqual([true, false])
    expect(attempts[0]?.attributes).toMatchObject({
      'longhaul.outcome': 'again',
      'error.type': 'SOURCE_UNAVAILABLE',
    })
  })

  it('of an export that was held back are not those of the one before it', async () => {
    const { collector, database, url, stop } = await traced()
    const client = createClient({ url, apiKey: keys.keyOf('anna') })
    const openGate = await gateSource(database, onTestFinished)
    const first = await request(url)
    await until(async () => (await client.status(first)).state === 'running')
    const second = await request(url, `00-${traceId}-${clientSpan}-01`)
    await until(async () => (await client.status(second)).held_back === true)
    await openGate()
    await client.wait(second)
    await stop()
    const { spans } = collector
    const [attempt] = attemptsOf(spans, second)
    expect(attempt?.traceId).toBe(traceId)
    expect(attemptsOf(spans, first)[0]?.traceId).not.toBe(traceId)
    // the record keeps the way to the request
    expect(pathTo(attempt!, spans).slice(0, 2)).toEqual([
      'POST /exports',
      'add longhaul-exports.longhaul-exports',
    ])
  })

  it('that nobody takes hold up nothing, and are complained about once', async () => {
    const away = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      OTEL_BSP_SCHEDULE_DELAY: '100',
    }
    const { url, worker, stop } = await startServices(away)
    const client = createClient({ url })
    const complaints = () =>
      eventsOf(worker).filter(({ msg }) => String(msg).startsWith('OpenTelemetry'))
    for (let each = 0; each < 3; each++) {
      const { id } = await client.request({ ...fixtureRange })
      await client.wait(id)
    }
    await until(() => complaints().length > 0)
    await stop()
    expect(complaints()).toHaveLength(1)
    expect(complaints()[0]?.['reason']).toContain('ECONNREFUSED')
  })

  it('leave nothing behind where they are not collected', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const answer = await ask(system.url, 'POST', '/exports', {
      headers: {
        'content-type': 'application/json',
        traceparent: `00-${traceId}-${clientSpan}-01`,
      },
      body: JSON.stringify(fixtureRange),
    })
    expect(answer.status).toBe(202)
    const { rows } = await system.database.pool.query('select traceparent from longhaul.exports')
    expect(rows).toEqual([{ traceparent: null }])
    const queued = await testQueue(system.database).read()
    expect(queued).toContain('exportId')
    expect(queued).not.toMatch(/traceparent|omitContext/)
    expect(system.logLines.join('')).not.toContain('trace_id')
  })
})
