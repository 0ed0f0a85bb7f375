import type { TestDatabase } from './database.ts'
import { testQueue } from './test-queue.ts'

/** What a request may leave behind: records, and jobs on the queue. */
export async function countTraces(database: TestDatabase): Promise<{
  readonly records: number
  readonly jobs: number
}> {
  const { rows } = await database.pool.query<{ records: number }>(
    'select count(*)::integer as records from longhaul.exports',
  )
  return { records: rows[0]!.records, jobs: await testQueue(database).countJobs() }
}

/**
 * Statements that an export runs on this database now, its source. Told by what they are not:
 * PostgreSQL shows only the beginning of a long statement.
 */
export async function runningQueries({ pool }: TestDatabase): Promise<readonly string[]> {
  const { rows } = await pool.query<{ query: string }>(
    `select query from pg_stat_activity
     where datname = current_database() and application_name = 'longhaul'
       and state <> 'idle' and query not like '%longhaul.exports%'`,
  )
  return rows.map((row) => row.query)
}
