import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { services } from '../../../src/datasets/services.ts'
import type { Snapshot } from '../../../src/export/ports.ts'
import { KiB } from '../../../src/runtime/units.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { july } from '../../support/read-selection.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { roomySource } from '../../support/roomy-source.ts'
import { readBlocks } from '../../support/row-blocks.ts'
import { sourceSessions } from '../../support/source-session.ts'
import { until } from '../../support/until.ts'

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release)
  await database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, extensions)
     select n::text, '100', timestamptz '2014-07-01T00:00:00Z' + n * interval '1 minute',
       jsonb_build_object('padding', repeat('x', 1000))
     from generate_series(1, 5000) n`,
  )
  await database.pool.query('analyze context_services.services')
})

/** For three readers, of which each has much to do; left ones wait for room. */
const createSource = () =>
  roomySource(database.url, { readers: 3, segmentBytes: 32 * KiB, readAheadBytes: 128 * KiB })

async function open(source = createSource()): Promise<Snapshot> {
  const snapshot = await source.open({ signal: new AbortController().signal })
  onTestFinished(() => snapshot.close())
  return snapshot
}

const read = (snapshot: Snapshot) =>
  readBlocks(snapshot, services.queries({ ...july, events: 'started' }))
const sessions = async () => (await sourceSessions(database)).length
const gone = () =>
  until(async () => (await sessions()) === 0, { timeoutMs: 1500, what: 'the sessions to end' })
const allThere = () => until(async () => (await sessions()) === 3, { what: 'all readers to join' })

describe('several readers', () => {
  it('see one instant, whatever is written before the others join', async () => {
    const snapshot = await open()
    await database.pool.query(`
      update context_services.services set disposition = 'later';
      insert into context_services.services (service_id, service_type, started_at)
      select 'later-' || n, '100', timestamptz '2014-07-01T00:00:00Z' + n * interval '5 minutes'
      from generate_series(1, 1000) n`)
    onTestFinished(async () => {
      await database.pool.query(`
        update context_services.services set disposition = null;
        delete from context_services.services where service_id like 'later-%'`)
    })
    const texts: string[] = []
    for await (const block of read(snapshot)) texts.push(...block)
    expect(texts).toHaveLength(5000)
    expect(texts.some((text) => text.includes('later'))).toBe(false)
  })

  it('leave with the last row, but for the one whose snapshot it is', async () => {
    const snapshot = await open()
    let most = 0
    for await (const block of read(snapshot)) {
      expect(block.length).toBeGreaterThan(0)
      most = Math.max(most, await sessions())
    }
    expect(most).toBe(3)
    await until(async () => (await sessions()) === 1)
    await snapshot.close()
    await gone()
  })

  it('are shared by the snapshots of one source, and come back to the one that is left', async () => {
    const source = createSource()
    const long = read(await open(source))
    let rows = 0
    /** Reads on until so many are there: between two segments each reader sees whether it is one too many. */
    async function readUntil(count: number): Promise<void> {
      await until(async () => {
        const next = await long.next()
        if (next.done === true)
          throw new Error(`All rows were read before ${count} readers were there.`)
        rows += next.value.length
        return (await sessions()) === count
      })
    }
    await readUntil(3)
    const second = await open(source)
    await readUntil(3)
    const third = await open(source)
    await readUntil(3)
    const fourth = await open(source)
    expect(await sessions()).toBe(4)
    for (const other of [second, third, fourth]) await other.close()
    await readUntil(3)
    for await (const block of long) rows += block.length
    expect(rows).toBe(5000)
  })

  it('all end when nobody wants more', async () => {
    const snapshot = await open()
    for await (const block of read(snapshot)) {
      expect(block.length).toBeGreaterThan(0)
      await allThere()
      break
    }
    await snapshot.close()
    await gone()
  })

  it('all fail when one of them is lost', async () => {
    const snapshot = await open()
    const blocks = read(snapshot)
    await blocks.next()
    // ahead, and waiting: one that is lost while it joins is not missed
    await until(async () => (await sourceSessions(database)).filter((s) => s.settled).length === 3)
    const { pid } = (await sourceSessions(database))[2]!
    await database.pool.query('select pg_terminate_backend($1)', [pid])
    const reading = async () => {
      while ((await blocks.next()).done !== true);
    }
    await expect(reading()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true })
    await snapshot.close()
    await gone()
  })

  it('are all canceled in mid-statement', async () => {
    const slow = await createTestDatabase(release)
    await slow.pool.query(`
      insert into context_services.services (service_id, service_type, started_at)
      select n::text, '100', timestamptz '2014-07-01T00:00:00Z' + n * interval '1 minute'
      from generate_series(1, 5000) n;
      analyze context_services.services;
      alter table context_services.services rename to all_services;
      create view context_services.services as
      select * from context_services.all_services where pg_sleep(60) is not null`)
    const leaving = new AbortController()
    const source = roomySource(slow.url, { readers: 2, segmentBytes: 32 * KiB })
    const snapshot = await source.open({ signal: leaving.signal })
    const blocks = readBlocks(snapshot, services.queries({ ...july, events: 'started' }))
    const outcome = blocks.next().catch((error: unknown) => error)
    const asleep = ({ wait_event }: { wait_event: string | null }) => wait_event === 'PgSleep'
    await until(async () => (await sourceSessions(slow)).filter(asleep).length === 2)
    leaving.abort(new Error('left'))
    expect(await outcome).toEqual(new Error('left'))
    await snapshot.close()
    const ended = async () => (await sourceSessions(slow)).length === 0
    await until(ended, { timeoutMs: 1500, what: 'both sessions to end' })
  })
})
