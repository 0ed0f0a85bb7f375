import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { describeWith } from '../../support/describe-with.ts'
import { missingPgbouncer, startPgbouncer } from '../../support/pgbouncer.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { anyQuery, openClient, openSnapshot, readAll } from '../../support/source-session.ts'
import { until } from '../../support/until.ts'

const title = 'a source behind a pooler in transaction mode'

describeWith('pgbouncer', missingPgbouncer, title, () => {
  const release = releaseAfterAll()
  let database: TestDatabase
  let url: string

  beforeAll(async () => {
    database = await createTestDatabase(release)
    url = await startPgbouncer(database.url, release)
  })

  const shown = `concat_ws(' ', current_setting('enable_sort'), current_setting('statement_timeout'))`

  /** Others use the pool, so that its connections go from hand to hand, until the test ends. */
  async function startOthers(): Promise<void> {
    for (let i = 0; i < 2; i++) {
      const client = await openClient(onTestFinished, url)
      const done = new AbortController()
      const work = (async () => {
        while (!done.signal.aborted) await client.query('select pg_sleep(0.001)')
      })()
      onTestFinished(async () => {
        done.abort()
        await work
      })
    }
  }

  it('is read under our settings, which nobody else gets', async () => {
    await startOthers()
    const query = anyQuery(`select ${shown} from generate_series(1, 300)`)
    for (let i = 0; i < 20; i++) {
      const snapshot = await openSnapshot(onTestFinished, url, { statementMs: 111_000 })
      expect(new Set(await readAll(snapshot, query))).toEqual(new Set(['off 111s']))
      await snapshot.close()
    }
    const other = await openClient(onTestFinished, url)
    for (let i = 0; i < 20; i++) {
      const { rows } = await other.query<{ shown: string }>(`select ${shown} as shown`)
      expect(rows).toEqual([{ shown: 'on 0' }])
    }
  })

  it('ends a query that is canceled', async () => {
    await startOthers()
    const snapshot = await openSnapshot(onTestFinished, url)
    const reading = readAll(snapshot, anyQuery('select pg_sleep(60)::text'))
    const error = reading.catch((failure: unknown) => failure as Error)
    const sleepers = async () => {
      const { rows } = await database.pool.query<{ count: number }>(
        `select count(*)::integer as count from pg_stat_activity
         where datname = current_database() and query = 'select pg_sleep(60)::text'
           and state = 'active'`,
      )
      return rows[0]!.count
    }
    await until(async () => (await sleepers()) === 1)
    await snapshot.close()
    expect(await sleepers()).toBe(0)
    // we leave as soon as the server has ended it: what it says may still be on its way through the pooler
    const reasons = /canceling statement due to user request|The connection .* was lost/
    expect(await error).toMatchObject({ message: expect.stringMatching(reasons) as string })
  })
})
