import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createFaultProxy } from '../../support/fault-proxy.ts'
import {
  anyQuery,
  openClient,
  openSnapshot,
  readAll,
  sourceSessions,
} from '../../support/source-session.ts'
import { readBlocks } from '../../support/row-blocks.ts'
import { until } from '../../support/until.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let database: TestDatabase
/** PostgreSQL 17 and newer have a limit of the transaction. */
let limitsTransactions: boolean

const release = releaseAfterAll()

beforeAll(async () => {
  database = await createTestDatabase(release)
  const { rowCount } = await database.pool.query(
    `select from pg_settings where name = 'transaction_timeout'`,
  )
  limitsTransactions = rowCount === 1
})

/** More than is read ahead. */
const many = anyQuery(`select repeat('x', 10000) from generate_series(1, 2000)`)
/** A batch takes about 0.2 s, all of it 20 times as long. */
const slow = anyQuery(
  `select n::text from generate_series(1, 2000) n where pg_sleep(0.002) is not null`,
)
const endless = anyQuery(`select pg_sleep(60)::text`)

const session = async () => (await sourceSessions(database))[0]
const gone = () =>
  until(async () => (await session()) === undefined, { what: 'the session to end' })

describe('the server ends a session', () => {
  it('whose reader takes no rows any more', async () => {
    const snapshot = await openSnapshot(onTestFinished, database.url, { idleMs: 500 })
    const batches = readBlocks(snapshot, [many])[Symbol.asyncIterator]()
    await batches.next()
    // the snapshot would hold up vacuum
    await until(async () => (await session())?.state === 'idle in transaction')
    await gone()
    const standing = async () => {
      while ((await batches.next()).done !== true);
    }
    await expect(standing()).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
      retryable: true,
      message: expect.stringContaining('25P03') as string,
      hint: expect.stringContaining('STALL_SECONDS') as string,
    })
  })

  it('whose statement waits for a lock', async () => {
    const blocker = await openClient(onTestFinished, database.url)
    await blocker.query('begin; lock table context_services.services in access exclusive mode')
    const snapshot = await openSnapshot(onTestFinished, database.url, { statementMs: 500 })
    const query = anyQuery('select service_id from context_services.services')
    await expect(readAll(snapshot, query)).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
      retryable: true,
      message: expect.stringContaining('57014') as string,
      hint: expect.stringContaining('pg_stat_activity') as string,
    })
    // what it held is given back, although the connection is still there
    expect(await session()).toMatchObject({ state: 'idle in transaction (aborted)' })
    await blocker.query('rollback')
  })

  it('whose transaction takes too long, however well it moves', async ({ skip }) => {
    skip(!limitsTransactions, 'PostgreSQL 16 and older have no such limit')
    const snapshot = await openSnapshot(onTestFinished, database.url, { transactionMs: 1000 })
    await expect(readAll(snapshot, slow)).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
      retryable: true,
      message: expect.stringContaining('25P04') as string,
      hint: expect.stringContaining('EXPORT_MAX_SECONDS') as string,
    })
    await gone()
  })

  it.runIf(process.platform === 'linux')('that cannot write, as nobody reads', async () => {
    const proxy = await createFaultProxy(database.url, onTestFinished)
    // a process that is stopped: its system answers, and takes nothing
    proxy.plan((connection) => (connection === 1 ? { afterBytes: 5000, then: 'stall' } : undefined))
    const snapshot = await openSnapshot(onTestFinished, proxy.url, { writeMs: 1000 })
    const large = anyQuery(`select repeat('x', 1000000) from generate_series(1, 100)`)
    const reading = readAll(snapshot, large)
    reading.catch(() => undefined)
    await until(async () => (await session())?.wait_event === 'ClientWrite')
    await gone()
  })

  it.runIf(process.platform === 'linux')('whose client is gone, in mid-statement', async () => {
    const gate = await createFaultProxy(database.url, onTestFinished)
    const snapshot = await openSnapshot(onTestFinished, gate.url)
    const reading = readAll(snapshot, endless)
    await until(async () => (await session())?.wait_event === 'PgSleep')
    await gate.shut()
    await expect(reading).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    await gone()
  })
})

describe('a session that moves', () => {
  it('may take much longer than one statement or one pause', async () => {
    const limits = { statementMs: 2000, idleMs: 2000 }
    const snapshot = await openSnapshot(onTestFinished, database.url, limits)
    const begun = performance.now()
    const rows: string[] = []
    for await (const batch of readBlocks(snapshot, [slow])) {
      rows.push(...batch)
      await sleep(100)
    }
    expect(rows).toHaveLength(2000)
    expect(performance.now() - begun).toBeGreaterThan(4000)
  })

  it('is not touched by the limits and defaults of server or role', async () => {
    const url = new URL(database.url)
    const defaults = {
      statement_timeout: 500,
      idle_in_transaction_session_timeout: 500,
      ...(limitsTransactions ? { transaction_timeout: 1500 } : {}),
      lock_timeout: 200,
      default_transaction_isolation: 'serializable',
      TimeZone: 'Asia/Kathmandu',
      DateStyle: 'German',
    }
    const options = Object.entries(defaults).map(([name, value]) => `-c ${name}=${value}`)
    url.searchParams.set('options', options.join(' '))
    const blocker = await openClient(onTestFinished, database.url)
    await blocker.query('begin; lock table context_services.services in access exclusive mode')
    const snapshot = await openSnapshot(onTestFinished, url.href)
    await sleep(1000)
    const query = anyQuery(
      `select concat_ws(' ', timestamptz '2014-07-22T12:00:00Z',
         current_setting('transaction_isolation'), pg_sleep(1), count(*))
       from context_services.services`,
    )
    const reading = readAll(snapshot, query)
    await until(async () => (await session())?.wait_event === 'relation')
    await sleep(500)
    await blocker.query('rollback')
    expect(await reading).toEqual(['2014-07-22 12:00:00+00 repeatable read  0'])
  })
})
