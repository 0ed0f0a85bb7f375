import type { TestDatabase } from './database.ts'

/** What a request may leave behind: records, and jobs on the queue. */
export async function countTraces({ pool }: TestDatabase): Promise<{
  readonly records: number
  readonly jobs: number
}> {
  const { rows } = await pool.query<{ records: number; jobs: number }>(
    `select (select count(*)::integer from longhaul.exports) as records,
            (select count(*)::integer from longhaul_queue.job) as jobs`,
  )
  return rows[0]!
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
