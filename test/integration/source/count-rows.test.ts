import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createRowCounter, type CountLimits } from '../../../src/postgres/count-rows.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createFaultProxy } from '../../support/fault-proxy.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { anyQuery, openClient, sourceSessions } from '../../support/source-session.ts'
import { until } from '../../support/until.ts'

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release)
})

const { signal } = new AbortController()
const rows = (count: number) => anyQuery(`select n::text from generate_series(1, ${count}) n`)

function openCounter(limits: Partial<CountLimits> = {}, { url = database.url } = {}) {
  const counter = createRowCounter(url, { stallMs: 60_000, maxMs: 60_000, ...limits })
  onTestFinished(() => counter.close())
  return counter
}
const sessionsGone = () => until(async () => (await sourceSessions(database)).length === 0)

describe('counting what the source has', () => {
  it('counts the rows of all queries', async () => {
    expect(await openCounter().count([rows(3), rows(4)], { signal })).toBe(7)
    expect(await openCounter().count([], { signal })).toBe(0)
  })

  it('may take as long as an export, and half a minute until the server ends it', async () => {
    const secondsAllowed = `extract(epoch from current_setting('statement_timeout')::interval)::int`
    const query = anyQuery(`select n::text from generate_series(1, ${secondsAllowed}) n`)
    expect(await openCounter({ maxMs: 3_600_000 }).count([query], { signal })).toBe(3630)
  })

  it('is given up, and ended on the server, when it waits for a lock for too long', async () => {
    const blocker = await openClient(onTestFinished, database.url)
    await blocker.query('begin; lock table context_services.services in access exclusive mode')
    const counting = openCounter({ maxMs: 500 }).count(
      [anyQuery('select service_id from context_services.services')],
      { signal },
    )
    await expect(counting).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
      message: 'The source database did not count the rows of a range within 0.5 s.',
      hint: expect.stringContaining('EXPORT_MAX_SECONDS') as string,
    })
    await sessionsGone()
  })

  it('is given up when its connection has gone silent, also one that was used before', async () => {
    const proxy = await createFaultProxy(database.url, onTestFinished)
    const counter = openCounter({ maxMs: 1000 }, proxy)
    expect(await counter.count([rows(1)], { signal })).toBe(1)
    proxy.strike({ then: 'stall' })
    await expect(counter.count([rows(1)], { signal })).rejects.toMatchObject({
      code: 'SOURCE_TIMEOUT',
    })
  })

  it('ends with the reason of its signal', async () => {
    const ending = new AbortController()
    const counting = openCounter().count([anyQuery('select pg_sleep(60)::text')], ending)
    await until(async () => (await sourceSessions(database))[0]?.wait_event === 'PgSleep')
    ending.abort(new Error('stopping'))
    await expect(counting).rejects.toThrow('stopping')
    await sessionsGone()
  })
})
