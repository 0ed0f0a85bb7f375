import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Backend } from '../../../src/postgres/begin-snapshot.ts'
import { endBackend } from '../../../src/postgres/end-backend.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { deferred } from '../../support/deferred.ts'
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

/** A cancel ends the query within 2 s, of which the heartbeat may take one. */
const within = { timeoutMs: 1500, what: 'the session to end' }
const endless = anyQuery(`select pg_sleep(60)::text`)

let database: TestDatabase

const release = releaseAfterAll()

beforeAll(async () => {
  database = await createTestDatabase(release)
})

const session = async () => (await sourceSessions(database))[0]
/** It waits in earnest: seen ten times in a row. */
async function waitsIn(event: string): Promise<void> {
  let seen = 0
  await until(async () => {
    seen = (await session())?.wait_event === event ? seen + 1 : 0
    return seen === 10
  })
}
const gone = () => until(async () => (await session()) === undefined, within)

/** What the reader of a statement is told; an outcome, so that nobody need wait for it. */
const errorOf = (reading: Promise<unknown>) =>
  reading.then(
    () => 'none',
    (error: unknown) => error as Error & { code: string },
  )

/**
 * Relays to a database, until it is told to swallow: then its first connection takes nothing more, and
 * is never ended: what the client does from then on, its leaving included, the server does not hear.
 */
async function startBlackHole(target: string) {
  const url = new URL(target)
  const { hostname, port } = url
  const swallowing = deferred()
  let connections = 0
  const server = net.createServer((near) => {
    const first = ++connections === 1
    const far = net.connect(Number(port), hostname)
    onTestFinished(() => {
      far.destroy()
      near.destroy()
    })
    for (const socket of [near, far]) socket.on('error', () => undefined)
    near.pipe(far, { end: !first })
    far.pipe(near, { end: !first })
    if (!first) return
    void swallowing.promise.then(() => {
      near.unpipe(far)
      far.unpipe(near)
      far.pause()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  url.port = String((server.address() as net.AddressInfo).port)
  return { url: url.href, swallow: () => swallowing.resolve() }
}

describe('a snapshot that is closed in mid-statement', () => {
  it('cancels the statement, and needs no more', async () => {
    const blocker = await openClient(onTestFinished, database.url)
    await blocker.query('begin; lock table context_services.services in access exclusive mode')
    const snapshot = await openSnapshot(onTestFinished, database.url)
    const query = anyQuery('select service_id from context_services.services')
    const error = errorOf(readAll(snapshot, query))
    await waitsIn('relation')
    const closed = snapshot.close()
    await gone()
    await closed
    // a backend that is terminated says something else
    expect(await error).toMatchObject({
      message: expect.stringContaining('canceling statement due to user request') as string,
    })
    await blocker.query('rollback')
  })

  it('terminates the backend when a function catches the cancel', async () => {
    await database.pool.query(
      `create function stubborn() returns text language plpgsql as $$
       begin
         perform pg_sleep(60);
         return 'done';
       exception when query_canceled then
         perform pg_sleep(60);
         return 'canceled';
       end $$`,
    )
    const snapshot = await openSnapshot(onTestFinished, database.url)
    const error = errorOf(readAll(snapshot, anyQuery('select stubborn()')))
    await waitsIn('PgSleep')
    const closed = snapshot.close()
    await gone()
    await closed
    expect(await error).toMatchObject({ message: expect.stringContaining('57P01') as string })
  })

  it('terminates the backend when that waits for us to take its rows', async () => {
    const hole = await startBlackHole(database.url)
    const snapshot = await openSnapshot(onTestFinished, hole.url)
    const large = anyQuery(
      `select repeat('x', 1000000) from generate_series(1, 100), pg_sleep(0.5)`,
    )
    void errorOf(readAll(snapshot, large))
    await waitsIn('PgSleep')
    hole.swallow()
    await waitsIn('ClientWrite')
    const closed = snapshot.close()
    await gone()
    await closed
  })

  it('terminates the backend when it hears the cancel, but not that we leave', async () => {
    const hole = await startBlackHole(database.url)
    const snapshot = await openSnapshot(onTestFinished, hole.url)
    void errorOf(readAll(snapshot, endless))
    await waitsIn('PgSleep')
    hole.swallow()
    const closed = snapshot.close()
    await gone()
    await closed
  })

  it('ends its statement even where there is no second connection', async () => {
    const role = `lonely_${randomBytes(4).toString('hex')}`
    await database.pool.query(`create role ${role} login password 'x' connection limit 1`)
    onTestFinished(async () => {
      await database.pool.query(`drop role ${role}`)
    })
    const url = new URL(database.url)
    ;[url.username, url.password] = [role, 'x']
    const snapshot = await openSnapshot(onTestFinished, url.href)
    void errorOf(readAll(snapshot, endless))
    await waitsIn('PgSleep')
    const closed = snapshot.close()
    await gone()
    await closed
  })

  it('does not wait for a second connection that is never answered', async () => {
    const proxy = await createFaultProxy(database.url, onTestFinished)
    proxy.plan((connection) => (connection === 2 ? { afterBytes: 0, then: 'stall' } : undefined))
    const snapshot = await openSnapshot(onTestFinished, proxy.url)
    void errorOf(readAll(snapshot, endless))
    await waitsIn('PgSleep')
    const begun = performance.now()
    await Promise.all([snapshot.close(), snapshot.close()])
    expect(performance.now() - begun).toBeLessThan(4000)
    expect(proxy.connections()).toBe(2)
    await gone()
  })
})

describe('a snapshot that is closed while the server waits for it', () => {
  it('needs no second connection', async () => {
    const proxy = await createFaultProxy(database.url, onTestFinished)
    const snapshot = await openSnapshot(onTestFinished, proxy.url)
    const many = anyQuery('select n::text from generate_series(1, 10000) n')
    const batches = readBlocks(snapshot, [many])[Symbol.asyncIterator]()
    await batches.next()
    await until(async () => {
      const seen = await session()
      return seen?.state === 'idle in transaction' && seen.settled
    })
    await snapshot.close()
    await gone()
    expect(proxy.connections()).toBe(1)
  })
})

describe('what is not ours any more', () => {
  it.each([
    ['a process that got the id of another', `backend_start - interval '1 day'`, 'xact_start'],
    ['a later transaction of the same process', 'backend_start', `xact_start - interval '1 ms'`],
  ])('is left alone: %s', async (_what, startedAt, transactionAt) => {
    const other = await openClient(onTestFinished, database.url)
    await other.query('begin')
    const { rows } = await other.query<Backend>(
      `select pid, (${startedAt})::text as "startedAt", (${transactionAt})::text as "transactionAt"
       from pg_stat_activity where pid = pg_backend_pid()`,
    )
    const sleeping = other.query(`select pg_sleep(1), 'undisturbed' as state`)
    await endBackend(database.url, rows[0]!, () => Promise.resolve())
    expect((await sleeping).rows).toMatchObject([{ state: 'undisturbed' }])
  })
})
