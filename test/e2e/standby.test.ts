import pg from 'pg'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { migrate } from '../../src/postgres/migrate.ts'
import { openSession } from '../../src/postgres/session.ts'
import { createSourceConnections } from '../../src/postgres/source-connections.ts'
import { sourceLimits } from '../../src/postgres/source-limits.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { startStandbyPair } from '../support/standby.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'

const content = { ...fixtureRange, export_content: true }

let primaryUrl: string
let standbyUrl: string
let primary: pg.Pool
let standby: pg.Pool

const release = releaseAfterAll()

beforeAll(async () => {
  ;({ primaryUrl, standbyUrl } = await startStandbyPair(release))
  await migrate(primaryUrl, { referenceSchema: true })
  ;[primary, standby] = [primaryUrl, standbyUrl].map((connectionString) => {
    const pool = new pg.Pool({ connectionString, max: 2 })
    pool.on('error', () => undefined)
    release(() => pool.end())
    return pool
  }) as [pg.Pool, pg.Pool]
  await primary.query(
    `insert into context_services.services (service_id, service_type, started_at, extensions)
     select 's-' || n, '100', timestamptz '2014-07-22T12:00:00Z' + n * interval '1 ms',
            jsonb_build_object('padding', repeat('x', 1000))
     from generate_series(1, 2000) n`,
  )
  await primary.query(
    `create table context_services.dead (n integer);
     create table context_services.slow (yes boolean);
     alter table context_services.services rename to all_services;
     create view context_services.services as
     select * from context_services.all_services
     where service_id not like 's-1___' or not exists (select from context_services.slow)
       or pg_sleep(60) is not null`,
  )
  await caughtUp()
})

/** The standby has everything that the primary has. */
async function caughtUp(): Promise<void> {
  const { rows } = await primary.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn')
  const look = () =>
    standby.query<{ there: boolean }>('select pg_last_wal_replay_lsn() >= $1::pg_lsn as there', [
      rows[0]!.lsn,
    ])
  await until(async () => {
    // the very look may be in the way of what is replayed
    const seen = await look().catch((error: unknown) => {
      if ((error as pg.DatabaseError).code !== '40001') throw error
      return undefined
    })
    return seen?.rows[0]!.there
  })
}

/** An export of one database, recorded in another; three failures are enough. */
const start = (sourceUrl: string): Promise<TestSystem> =>
  startTestSystem(onTestFinished, {
    environment: { SOURCE_DATABASE_URL: sourceUrl, EXPORT_MAX_FAILURES: '3' },
  })

/** Asks the standby, again where the answer fell to a conflict itself. */
async function askStandby<Row extends pg.QueryResultRow>(text: string): Promise<readonly Row[]> {
  for (;;) {
    try {
      return (await standby.query<Row>(text)).rows
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== '40001') throw error
    }
  }
}

/** Whether who reads the services now gets the first ones at once, and then waits a minute at each. */
async function setSlow(slow: boolean): Promise<void> {
  await primary.query(
    slow ? 'insert into context_services.slow values (true)' : 'delete from context_services.slow',
  )
  await caughtUp()
}

/** Whether the standby is at work on that attempt, by one reader or several. */
async function reading({ client }: TestSystem, id: string, attempt = 1): Promise<boolean> {
  const rows = await askStandby(
    `select 1 from pg_stat_activity where application_name = 'longhaul' and wait_event = 'PgSleep'`,
  )
  const now = await client.status(id)
  return rows.length > 0 && now.state === 'running' && now.attempt === attempt
}

async function countConflicts(): Promise<number> {
  const rows = await askStandby<{ count: number }>(
    `select confl_snapshot::integer as count from pg_stat_database_conflicts
     where datname = current_database()`,
  )
  return rows[0]!.count
}

/** Removes on the primary what the snapshots on the standby still show: they have to give way. */
async function conflict(): Promise<void> {
  const before = await countConflicts()
  await primary.query('insert into context_services.dead select generate_series(1, 1000)')
  await primary.query('delete from context_services.dead')
  await primary.query('vacuum context_services.dead')
  await until(async () => (await countConflicts()) > before, { what: 'a conflict' })
}

describe('an export from a standby', () => {
  it('has the same bytes as one from the primary', async () => {
    const digests: string[] = []
    for (const url of [standbyUrl, primaryUrl]) {
      const system = await start(url)
      const { id } = await system.client.request(content)
      const { state, artifact } = await system.client.wait(id)
      expect([state, artifact?.rows]).toEqual(['completed', 2000])
      digests.push(artifact!.sha256)
    }
    expect(digests[0]).toBe(digests[1])
  })

  it('may be read by several, who see one snapshot', async () => {
    const limits = sourceLimits({ stallMs: 60_000, maxMs: 3_600_000 })
    const { signal } = new AbortController()
    const connections = createSourceConnections(standbyUrl)
    onTestFinished(() => connections.close())
    const first = await openSession(connections, { limits, share: true, signal })
    onTestFinished(() => first.close())
    const { sharedAs } = first.begun
    expect(sharedAs).toBeDefined()
    await primary.query(`insert into context_services.dead values (-1)`)
    await caughtUp()
    const second = await openSession(connections, { limits, sharedAs, signal })
    onTestFinished(() => second.close())
    const text = 'select from context_services.dead where n = -1'
    expect(await second.ask({ text, values: [] })).toEqual([])
    expect(await askStandby(text)).toHaveLength(1)
  })

  it('survives a conflict with recovery', async () => {
    onTestFinished(() => setSlow(false))
    await setSlow(true)
    const system = await start(standbyUrl)
    const { id } = await system.client.request(content)
    await until(() => reading(system, id))
    await setSlow(false)
    await conflict()
    const view = await until(async () => {
      const now = await system.client.status(id)
      return now.error !== undefined && now
    })
    expect(view.error).toMatchObject({ code: 'SOURCE_CONFLICT', retryable: true })
    expect(await system.client.wait(id)).toMatchObject({
      state: 'completed',
      artifact: { rows: 2000 },
    })
  })

  it('fails after EXPORT_MAX_FAILURES conflicts, says what can be done, and leaves nothing', async () => {
    onTestFinished(() => setSlow(false))
    await setSlow(true)
    const system = await start(standbyUrl)
    const { id } = await system.client.request(content)
    for (const attempt of [1, 2, 3]) {
      await until(() => reading(system, id, attempt))
      await conflict()
    }
    const { state, attempt, error } = await system.client.wait(id)
    expect([state, attempt]).toEqual(['failed', 3])
    expect(error).toMatchObject({ code: 'SOURCE_CONFLICT', retryable: true })
    expect(error!.message).toMatch(/conflict with recovery.*must be removed.*after 3 failures\.$/)
    expect(error!.hint).toMatch(
      /hot_standby_feedback.*max_standby_streaming_delay.*SOURCE_DATABASE_URL.*shorter/,
    )
    expect(await system.bucket.keys()).toEqual([])
    expect(await system.bucket.openUploads()).toEqual([])
  })
})
