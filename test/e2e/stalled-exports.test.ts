import pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ExportView } from '../../src/http/schemas.ts'
import { createTestDatabase } from '../support/database.ts'
import { runningQueries } from '../support/exports-table.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { makeSourceQuick, makeSourceSlow } from '../support/slow-source.ts'
import { stackS3Settings } from '../support/bucket.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** Requests an export; `errored` waits until an attempt has ended by an error. */
async function request(system: TestSystem, body: object = {}) {
  const { id } = await system.client.request({ ...fixtureRange, ...body })
  const look = () => system.client.status(id)
  const errored = () =>
    until(async () => {
      const view = await look()
      return view.error !== undefined && view
    })
  return { id, errored }
}

const completed = async (system: TestSystem, id: string): Promise<ExportView> => {
  const view = await system.client.wait(id)
  expect(view).toMatchObject({ state: 'completed', artifact: { rows: 5 } })
  return view
}

describe('an attempt that does not move', () => {
  it('because its query waits for a lock, is ended, also in PostgreSQL; the next one completes', async () => {
    const system = await startTestSystem(onTestFinished, { environment: { STALL_SECONDS: '1' } })
    await insertFixtureServices(system.database.pool)
    const blocker = new pg.Client({ connectionString: system.database.url })
    await blocker.connect()
    onTestFinished(() => blocker.end())
    await blocker.query('begin; lock table context_services.services in access exclusive mode')
    const { id, errored } = await request(system)
    expect((await errored()).error).toMatchObject({ code: 'SOURCE_TIMEOUT', retryable: true })
    await blocker.query('rollback')
    const { attempt } = await completed(system, id)
    expect(attempt).toBeGreaterThan(1)
    await until(async () => (await runningQueries(system.database)).length === 0)
  })

  it('because the source fell silent, without a FIN, is ended; the next one completes', async () => {
    const database = await createTestDatabase(onTestFinished)
    await insertFixtureServices(database.pool)
    const proxy = await createFaultProxy(database.url, onTestFinished)
    // past the login, within the rows
    proxy.plan((connection) => (connection === 1 ? { afterBytes: 1500, then: 'stall' } : undefined))
    const system = await startTestSystem(onTestFinished, {
      environment: { STALL_SECONDS: '1', SOURCE_DATABASE_URL: proxy.url },
    })
    const { id, errored } = await request(system, { export_content: true })
    expect((await errored()).error).toMatchObject({ code: 'SOURCE_TIMEOUT' })
    await completed(system, id)
    expect(proxy.connections()).toBeGreaterThan(1)
    await until(async () => (await runningQueries(database)).length === 0)
  })

  it('because the control database fell silent, is given up by its lease, and taken up again', async () => {
    const database = await createTestDatabase(onTestFinished)
    await makeSourceSlow(database, { quick: 1500, bytes: 20_000 })
    const proxy = await createFaultProxy(database.url, onTestFinished)
    const system = await startTestSystem(onTestFinished, {
      environment: {
        DATABASE_URL: proxy.url,
        SOURCE_DATABASE_URL: database.url,
        LEASE_SECONDS: '5',
      },
    })
    const { id } = await request(system, { export_content: true })
    await until(async () => (await system.bucket.openUploads()).length > 0)
    proxy.strike({ then: 'stall', forGood: true })
    // its attempt ends without the record: nothing is at work for it, or open, any more
    await until(async () => (await system.bucket.openUploads()).length === 0)
    await until(async () => (await runningQueries(database)).length === 0)
    proxy.heal()
    await makeSourceQuick(database)
    const { attempts, artifact } = await system.client.wait(id)
    // by whoever is first: the worker, whose database answers again, or the next attempt
    const ended = expect.stringMatching(/^(interrupted|lost)$/) as string
    expect(attempts.map(({ outcome }) => outcome)).toEqual([ended, 'completed'])
    expect(await system.bucket.keys()).toEqual([artifact!.key])
  })

  it('because the object store fell silent, is ended; the next one completes', async () => {
    const proxy = await createFaultProxy(stackS3Settings().endpoint ?? '', onTestFinished)
    proxy.plan((connection) => (connection === 1 ? { then: 'stall' } : undefined))
    const system = await startTestSystem(onTestFinished, {
      environment: { STALL_SECONDS: '1', S3_ENDPOINT: proxy.url },
    })
    // enough for several parts, so that the store is waited for while there are rows
    await system.database.pool.query(
      `insert into context_services.services (service_id, service_type, started_at, extensions)
       select 's-' || n, '100', timestamptz '2014-07-22T12:00:00Z' + n * interval '1 ms',
              jsonb_build_object('padding', repeat('x', 20000))
       from generate_series(1, 2500) n`,
    )
    const { id, errored } = await request(system, { export_content: true })
    expect((await errored()).error).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('took nothing for 1 s') as string,
    })
    expect(await system.client.wait(id)).toMatchObject({ state: 'completed' })
    expect(await system.bucket.keys()).toHaveLength(1)
    expect(await system.bucket.openUploads()).toEqual([])
  })
})

describe('an export that takes too long', () => {
  it('is given up after EXPORT_MAX_SECONDS, and leaves nothing', async () => {
    const system = await startTestSystem(onTestFinished, {
      environment: { EXPORT_MAX_SECONDS: '2' },
    })
    await makeSourceSlow(system.database, { quick: 2000, bytes: 20_000 })
    const { id } = await request(system, { export_content: true })
    const view = await system.client.wait(id)
    expect(view).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'EXPORT_ABANDONED', retryable: false },
    })
    expect(view.error!.message).toContain('longer than 2 s')
    // an attempt waits two seconds for its statement's end: where a server is slower, it ends afterwards
    await until(async () => (await runningQueries(system.database)).length === 0)
    await until(async () => (await system.bucket.openUploads()).length === 0)
    expect(await system.bucket.keys()).toEqual([])
  })
})
