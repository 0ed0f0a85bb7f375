import pg from 'pg'
import type { DatasetQuery } from '../../src/datasets/dataset.ts'
import type { Snapshot } from '../../src/export/ports.ts'
import type { SourceLimits } from '../../src/postgres/source-limits.ts'
import type { TestDatabase } from './database.ts'
import type { Release } from './release.ts'
import { roomySource } from './roomy-source.ts'
import { readBlocks } from './row-blocks.ts'

/** What the server knows of a connection of ours. */
export interface Session {
  readonly pid: number
  readonly state: string
  readonly wait_event: string | null
  /** Whether that state has lasted for a while, so that nothing is on its way. */
  readonly settled: boolean
}

/** The sessions of row sources in this database now, but for those that wait for another snapshot. */
export async function sourceSessions({ pool }: TestDatabase): Promise<readonly Session[]> {
  const { rows } = await pool.query<Session>(
    `select pid, state, wait_event, state_change < clock_timestamp() - interval '200 ms' as settled
     from pg_stat_activity
     where datname = current_database() and application_name = 'longhaul' and pid <> pg_backend_pid()
       and state <> 'idle'
     order by backend_start`,
  )
  return rows
}

/** A snapshot that is read as far as the test likes; no signal of ours ever ends it. */
export async function openSnapshot(
  release: Release,
  url: string,
  limits: Partial<SourceLimits> = {},
): Promise<Snapshot> {
  const source = roomySource(url, { limits })
  const snapshot = await source.open({ signal: new AbortController().signal })
  release(() => snapshot.close())
  return snapshot
}

/** A statement as a dataset has it, of one text column. It is read in batches of 26 rows. */
export const anyQuery = (text: string): DatasetQuery => ({
  text,
  values: [],
  rowBytes: 20_000,
  tables: [],
  refusal: () => undefined,
  mayBeSorted: false,
})

/** Reads to the end. @returns the rows */
export async function readAll(snapshot: Snapshot, query: DatasetQuery): Promise<readonly string[]> {
  const rows: string[] = []
  for await (const batch of readBlocks(snapshot, [query])) rows.push(...batch)
  return rows
}

/** A client of the test's own, ended with the test. */
export async function openClient(release: Release, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  release(() => client.end())
  return client
}
