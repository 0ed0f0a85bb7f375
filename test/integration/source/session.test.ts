import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { openSession } from '../../../src/postgres/session.ts'
import { createSourceConnections } from '../../../src/postgres/source-connections.ts'
import { sourceLimits } from '../../../src/postgres/source-limits.ts'
import { MiB } from '../../../src/runtime/units.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { anyQuery, sourceSessions } from '../../support/source-session.ts'
import { until } from '../../support/until.ts'

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release, { reference: false })
})

const limits = sourceLimits({ stallMs: 60_000, maxMs: 3_600_000 })

async function open() {
  const { signal } = new AbortController()
  const connections = createSourceConnections(database.url)
  onTestFinished(() => connections.close())
  const session = await openSession(connections, { limits, signal })
  onTestFinished(() => session.close())
  return session
}

/** Rows that are a thousand times as large as a batch of so many is meant for. */
const large = anyQuery(`select repeat('x', ${MiB}) from generate_series(1, 200)`)
const batchRows = 1000

describe('a batch of rows that turn out large', () => {
  it('is handed on in pieces, and not read any further while nobody takes the next one', async () => {
    const session = await open()
    let held = 0
    const taken: number[] = []
    const take = (text: string) => void (held += text.length)
    for await (const rows of session.read(large, { batchRows, take })) {
      if (taken.length === 0) {
        // the server can get rid of no more
        await until(async () => {
          const [reading] = await sourceSessions(database)
          return reading?.wait_event === 'ClientWrite' && reading.settled
        })
      }
      expect(rows.every(([text]) => text === '')).toBe(true)
      taken.push(held)
      held = 0
    }
    expect(taken.reduce((sum, bytes) => sum + bytes, 0)).toBe(200 * MiB)
    expect(Math.max(...taken)).toBeLessThanOrEqual(4 * MiB)
  })

  it('is left in the middle, and the connection is fit for more', async () => {
    const session = await open()
    const reading = session.read(large, { batchRows, take: () => undefined })
    await reading.next()
    await reading.return(undefined)
    expect(await session.ask({ text: 'select 1 as one', values: [] })).toEqual([{ one: 1 }])
  })

  it('ends with the connection, though that rests', async () => {
    const session = await open()
    const reading = session.read(large, { batchRows, take: () => undefined })
    await reading.next()
    const [{ pid } = { pid: 0 }] = await sourceSessions(database)
    await database.pool.query('select pg_terminate_backend($1)', [pid])
    const rest = async () => {
      while ((await reading.next()).done !== true);
    }
    await expect(rest()).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true })
  })
})
