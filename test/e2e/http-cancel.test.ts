import pg from 'pg'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ask, post } from '../support/ask.ts'
import { runningQueries } from '../support/exports-table.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { makeSourceSlow } from '../support/slow-source.ts'
import { expectExport, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** design.md, section 3: the query and the upload end within 2 s. */
const within = { timeoutMs: 2000 }
/** More than one batch of the reader, and more than one part of the upload. */
const quick = 4000
const bytes = 5000

let system: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { environment: { EXPORT_CONCURRENCY: '1' } })
  await makeSourceSlow(system.database, { quick, bytes })
})

/** One failed test must not keep the worker from the others. */
afterEach(async () => {
  await system.database.pool.query(
    `update longhaul.exports set state = 'canceled', finished_at = now(), lease_until = null
     where state in ('queued', 'running')`,
  )
  await system.database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'longhaul'
       and state <> 'idle' and query not like '%longhaul.exports%'`,
  )
})

const view = async (id: string) => expectExport(await ask(system.url, 'GET', `/exports/${id}`), 200)

/** An export whose query runs. */
async function running(body: object = {}) {
  const answer = await post(system.url, '/exports', {
    ...fixtureRange,
    filter_events: 'started',
    ...body,
  })
  const { id } = expectExport(answer, 202)
  await until(async () => (await view(id)).state === 'running')
  await until(async () => (await runningQueries(system.database)).length > 0)
  return id
}

async function cancel(id: string) {
  const answer = await ask(system.url, 'POST', `/exports/${id}/cancel`)
  expect(expectExport(answer, 202).state).toBe('canceled')
}

/** What an export that was canceled must leave behind: nothing, and soon. */
async function expectNoTraces(id: string) {
  await until(async () => (await runningQueries(system.database)).length === 0, {
    ...within,
    what: 'the end of the query',
  })
  await until(async () => (await system.bucket.openUploads()).length === 0, {
    ...within,
    what: 'the end of the upload',
  })
  expect((await system.bucket.keys()).filter((key) => key.includes(id))).toEqual([])
  expect(await view(id)).toMatchObject({ id, state: 'canceled' })
}

/** The worker is free again: an export of a range without the slow service goes through. */
async function expectWorkerFree() {
  const range = { time_from: '2014-01-01T00:00:00Z', time_to: '2014-01-02T00:00:00Z' }
  const { id } = expectExport(await post(system.url, '/exports', range), 202)
  await until(async () => (await view(id)).state === 'completed')
}

describe('a running export', () => {
  it('shows its progress, and can neither be fetched nor deleted', async () => {
    const id = await running({ export_content: true })
    const seen = await until(async () => {
      const now = await view(id)
      return now.progress.rows > 0 && now
    })
    expect(seen).toMatchObject({ state: 'running', attempt: 1 })
    expect(seen.progress.rows).toBeLessThanOrEqual(quick)
    expect(seen.progress.bytes).toBeGreaterThan(bytes)
    expect(seen.progress.estimated_rows).toBeGreaterThan(0)
    for (const time of [seen.started_at, seen.snapshot_at]) expect(time).toBeDefined()
    for (const absent of [seen.finished_at, seen.artifact, seen.error]) {
      expect(absent).toBeUndefined()
    }
    for (const [method, suffix] of [
      ['GET', '/artifact'],
      ['DELETE', ''],
    ] as const) {
      const answer = await ask(system.url, method, `/exports/${id}${suffix}`)
      expect(expectProblem(answer, 409, 'EXPORT_NOT_READY').state).toBe('running')
    }
    await cancel(id)
    await expectNoTraces(id)
  })

  it('ends its query and its upload within 2 s when it is canceled', async () => {
    const id = await running({ export_content: true })
    await until(async () => (await system.bucket.openUploads()).length > 0)
    await cancel(id)
    await expectNoTraces(id)
    expect((await ask(system.url, 'POST', `/exports/${id}/cancel`)).status).toBe(200)
    expect(expectProblem(await ask(system.url, 'GET', `/exports/${id}/artifact`), 410).state).toBe(
      'canceled',
    )
    expect((await ask(system.url, 'DELETE', `/exports/${id}`)).status).toBe(204)
    await expectWorkerFree()
    expect((await view(id)).attempt).toBe(1)
  })

  it('ends within 2 s, too, while its query waits for a lock', async () => {
    const locker = new pg.Client({ connectionString: system.database.url })
    await locker.connect()
    try {
      await locker.query('begin')
      await locker.query('lock table context_services.all_services in access exclusive mode')
      const id = await running()
      await cancel(id)
      await expectNoTraces(id)
    } finally {
      await locker.end()
    }
    await expectWorkerFree()
  })

  it('is canceled once, however many ask at once', async () => {
    const id = await running()
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => ask(system.url, 'POST', `/exports/${id}/cancel`)),
    )
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 202])
    await expectNoTraces(id)
  })
})
