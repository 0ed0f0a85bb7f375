import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { RowSource } from '../../../src/export/ports.ts'
import type { PostgresRowSource } from '../../../src/postgres/snapshot.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { roomySource } from '../../support/roomy-source.ts'
import { readBlocks } from '../../support/row-blocks.ts'
import { anyQuery } from '../../support/source-session.ts'
import { until } from '../../support/until.ts'

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release, { reference: false })
})

const { signal } = new AbortController()
const whoAmI = anyQuery(`select pg_backend_pid()::text || ' ' || current_setting('jit')`)
const endless = anyQuery('select n::text from generate_series(1, 100000000) n')

function source(): PostgresRowSource {
  const opened = roomySource(database.url)
  onTestFinished(() => opened.close())
  return opened
}

/** Process id of the connection that a snapshot was read by, and whether it compiles. */
async function readOnce(from: RowSource): Promise<string> {
  const snapshot = await from.open({ signal })
  try {
    const rows: string[] = []
    for await (const some of readBlocks(snapshot, [whoAmI])) rows.push(...some)
    return String(rows[0])
  } finally {
    await snapshot.close()
  }
}

/** States of all connections, those that wait for another snapshot, too. */
const states = async (): Promise<readonly string[]> => {
  const { rows } = await database.pool.query<{ state: string }>(
    `select state from pg_stat_activity
     where datname = current_database() and application_name = 'longhaul' and pid <> pg_backend_pid()`,
  )
  return rows.map(({ state }) => state)
}

describe('a connection to the source', () => {
  it('serves the next snapshot, which sees what was written meanwhile, and has no settings of the one before', async () => {
    const from = source()
    const first = await readOnce(from)
    await database.pool.query('create table if not exists later (n integer)')
    await database.pool.query('insert into later values (1)')
    expect(await readOnce(from)).toBe(first)
    // out of its transaction: it holds nothing back on the server
    expect(await states()).toEqual(['idle'])
    const snapshot = await from.open({ signal })
    const rows: string[] = []
    for await (const some of readBlocks(snapshot, [anyQuery('select n::text from later')])) {
      rows.push(...some)
    }
    await snapshot.close()
    expect(rows).toEqual(['1'])
  })

  it('is left alone for two seconds, and then ends', async () => {
    const from = source()
    await readOnce(from)
    expect(await states()).toEqual(['idle'])
    await until(async () => (await states()).length === 0, { timeoutMs: 10_000 })
  })

  it('that ended meanwhile is replaced by another one', async () => {
    const from = source()
    const first = await readOnce(from)
    await database.pool.query('select pg_terminate_backend($1)', [Number(first.split(' ')[0])])
    expect(await readOnce(from)).not.toBe(first)
  })

  it('is thrown away when what it read was left, or failed', async () => {
    const from = source()
    const first = await from.open({ signal })
    for await (const rows of readBlocks(first, [endless])) {
      expect(rows.length).toBeGreaterThan(0)
      break
    }
    await first.close()
    await until(async () => (await states()).length === 0)

    const second = await from.open({ signal })
    const failing = async () => {
      for await (const rows of readBlocks(second, [anyQuery('select (1 / 0)::text')])) {
        expect(rows).toEqual([])
      }
    }
    await expect(failing()).rejects.toMatchObject({ code: 'SOURCE_QUERY_FAILED' })
    await second.close()
    await until(async () => (await states()).length === 0)
  })

  it('is used by one at a time', async () => {
    const from = source()
    const [first, second] = await Promise.all([readOnce(from), readOnce(from)])
    expect(first).not.toBe(second)
    const third = await readOnce(from)
    expect([first, second]).toContain(third)
  })
})
