import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Snapshot } from '../../../src/export/ports.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { readBlocks } from '../../support/row-blocks.ts'
import { anyQuery, openSnapshot } from '../../support/source-session.ts'

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release, { reference: false })
  await database.pool.query('create table seen (n integer)')
})

const seen = anyQuery(`select coalesce(string_agg(n::text, ',' order by n), '') from seen`)

/** What two passes over one snapshot give, and what happens between them. */
async function readTwice(snapshot: Snapshot, between: () => Promise<unknown>): Promise<string[]> {
  const passes: string[] = []
  for await (const rows of readBlocks(snapshot, [seen, seen])) {
    passes.push(...rows)
    if (passes.length === 1) await between()
  }
  return passes
}

describe('a snapshot', () => {
  it('shows one instant, whatever is written while it is read', async () => {
    await database.pool.query('truncate seen; insert into seen values (1), (2)')
    const snapshot = await openSnapshot(onTestFinished, database.url)
    const passes = await readTwice(snapshot, () =>
      database.pool.query('delete from seen where n = 1; insert into seen values (3)'),
    )
    expect(passes).toEqual(['1,2', '1,2'])
  })

  it('shows all that was committed before its instant, and nothing that came later', async () => {
    await database.pool.query('truncate seen')
    const writer = await database.pool.connect()
    onTestFinished(() => writer.release(true))
    await writer.query('begin; insert into seen values (1)')
    // not committed yet: not in it, though it was written before
    await database.pool.query('insert into seen values (2)')
    const { rows } = await database.pool.query<{ now: Date }>('select clock_timestamp() as now')
    const snapshot = await openSnapshot(onTestFinished, database.url)
    await writer.query('commit')
    await database.pool.query('insert into seen values (3)')
    expect(snapshot.at.getTime()).toBeGreaterThanOrEqual(rows[0]!.now.getTime())
    expect(await readTwice(snapshot, () => Promise.resolve())).toEqual(['2', '2'])
  })

  it('refuses to write, even where a view would', async () => {
    const snapshot = await openSnapshot(onTestFinished, database.url)
    const writing = anyQuery(
      `with w as (insert into seen values (9) returning n) select n::text from w`,
    )
    const reading = async () => {
      for await (const rows of readBlocks(snapshot, [writing])) expect(rows).toEqual([])
    }
    await expect(reading()).rejects.toMatchObject({
      code: 'SOURCE_QUERY_FAILED',
      message: expect.stringContaining('25006') as string,
    })
  })
})
