import type pg from 'pg'
import QueryStream from 'pg-query-stream'
import type { DatasetQuery } from '../datasets/dataset.ts'
import { EncodeError, SourceError } from '../errors.ts'
import type { RowSource, Snapshot } from '../export/ports.ts'
import { untilAborted } from '../runtime/abort.ts'
import { MiB } from '../runtime/units.ts'
import { assertColumnTypes } from './column-types.ts'
import { translatePgError } from './pg-errors.ts'
import { connect } from './pool.ts'
import { readBatches } from './row-batches.ts'
import { searchRecord, type FailedQuery } from './search-record.ts'

/** What one round trip to the server may well bring, and so what is held in memory. */
const batchBytes = 1 * MiB

/** Rows of one round trip: few large ones, or many small ones, so that neither memory nor latency counts. */
const batchRowsFor = (rowBytes: number) =>
  Math.min(5000, Math.max(100, Math.floor(batchBytes / rowBytes)))

/** How long a connection may take to end, ms. */
const endTimeoutMs = 2000

/** How long the server is asked to end a query that nobody waits for any more, ms. */
const terminateTimeoutMs = 2000

/** How long a record that makes the export fail is searched for, to be named, ms. */
const searchTimeoutMs = 10_000

/** Where a transaction goes back to after an error: the same snapshot still. */
const savepoint = 'snapshot'

/**
 * Settings of the session, so that neither the server's nor the role's defaults change what or how
 * we read. Taken through pg_settings, because transaction_timeout exists only from version 17.
 * Sorting is discouraged: an index gives the rows in order, the first one at once, where a sort of a
 * whole range would spill to disk before it. A slow upload may leave the transaction idle for long.
 */
const sessionSettings = `
  select set_config(s.name, v.setting, false)
  from (values
    ('TimeZone', 'UTC'), ('statement_timeout', '0'), ('DateStyle', 'ISO'), ('jit', 'off'), ('enable_sort', 'off'),
    ('max_parallel_workers_per_gather', '0'),
    ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0')
  ) v (name, setting)
  join pg_settings s using (name)`

const whoAmI = `
  select statement_timestamp() as at, pid, backend_start::text as "startedAt"
  from pg_stat_activity where pid = pg_backend_pid()`

interface Backend {
  readonly at: Date
  readonly pid: number
  readonly startedAt: string
}

/** Reads from the source database, each snapshot on a connection of its own that is then thrown away. */
export function createRowSource(url: string): RowSource {
  return {
    async open({ signal }) {
      signal.throwIfAborted()
      const connecting = connect(url, 'source database')
      let client: pg.Client | undefined
      try {
        client = await untilAborted(connecting, signal)
        const backend = await untilAborted(beginSnapshot(client), signal)
        return createSnapshot(url, client, backend, signal)
      } catch (error) {
        void connecting.then((late) => late.end()).catch(() => undefined)
        signal.throwIfAborted()
        throw translatePgError(error, 'source database')
      }
    },
  }
}

async function beginSnapshot(client: pg.Client): Promise<Backend> {
  await client.query(sessionSettings)
  await client.query('begin isolation level repeatable read read only')
  // statement_timestamp is taken before the snapshot: what was committed before it is seen
  const { rows } = await client.query<Backend>(whoAmI)
  await client.query(`savepoint ${savepoint}`)
  return rows[0] as Backend
}

function createSnapshot(
  url: string,
  client: pg.Client,
  backend: Backend,
  outer: AbortSignal,
): Snapshot {
  // A query stream on a connection that died fires neither error nor close (node-postgres issue
  // 2870): the reader listens to the connection itself instead of trusting the stream.
  const broken = new AbortController()
  const lost = (cause?: unknown) => {
    const message = 'The connection to the source database was lost.'
    broken.abort(new SourceError('SOURCE_UNAVAILABLE', message, { cause }))
  }
  client.on('error', lost)
  client.on('end', lost)
  const signal = AbortSignal.any([outer, broken.signal])
  /** Between a statement's beginning and its clean end the server may be at work on it. */
  let busy = false

  /** Waits for short statements. */
  async function ask<T>(work: Promise<T>): Promise<T> {
    try {
      busy = true
      const answer = await untilAborted(work, signal)
      busy = false
      return answer
    } catch (error) {
      signal.throwIfAborted()
      throw translatePgError(error, 'source database')
    }
  }

  let checked: Promise<void> | undefined
  /** Queries of one export read the same tables: looking at the first, once, will do. */
  const checkTables = (queries: readonly DatasetQuery[]) =>
    (checked ??= ask(assertColumnTypes(client, queries[0]?.tables ?? [])))

  async function* readQuery(query: DatasetQuery) {
    let arrived = 0
    try {
      busy = true
      const { text, values, rowBytes } = query
      const batchSize = batchRowsFor(rowBytes)
      const stream = new QueryStream(text, [...values], { batchSize, rowMode: 'array' })
      for await (const rows of readBatches<readonly string[]>(client.query(stream), signal)) {
        yield rows.map(([element]) => element ?? refuseNull())
        arrived += rows.length
      }
      busy = false
    } catch (error) {
      signal.throwIfAborted()
      throw await explain({ query, error, arrived })
    }
  }

  /** The error that says most about a statement that failed. */
  async function explain(failed: FailedQuery): Promise<Error> {
    const { query, error } = failed
    const refusal = error instanceof Error ? query.refusal(error.message) : undefined
    if (refusal !== undefined) return refusal
    const limit = AbortSignal.any([signal, AbortSignal.timeout(searchTimeoutMs)])
    const search = untilAborted(searchRecord(client, savepoint, failed), limit)
    const named = await search.catch(() => undefined)
    return named ?? translatePgError(error, 'source database')
  }

  return {
    at: backend.at,
    async estimate(queries) {
      await checkTables(queries)
      return ask(estimateRows(client, queries))
    },
    async *read(queries) {
      await checkTables(queries)
      for (const query of queries) yield* readQuery(query)
    },
    async close() {
      // closing the socket alone would leave the server computing until it next writes a row
      if (busy && !broken.signal.aborted) await terminate(url, backend)
      // a peer that has gone silent never says good-bye
      await untilAborted(client.end(), AbortSignal.timeout(endTimeoutMs)).catch(() => undefined)
    },
  }
}

/** A view may present what the reference tables forbid. */
function refuseNull(): never {
  throw new EncodeError('A record without an id cannot be exported.', {
    hint: 'Give it an id in the source, or leave it out of the view.',
  })
}

/** The planner's row counts, added up. */
async function estimateRows(client: pg.Client, queries: readonly DatasetQuery[]): Promise<number> {
  let rows = 0
  for (const { text, values } of queries) {
    const result = await client.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
      `explain (format json) ${text}`,
      [...values],
    )
    rows += result.rows[0]?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0
  }
  return rows
}

/**
 * Ends our own backend from another connection. Its start time is compared too, as a process id may
 * have been given to somebody else. Best effort: the server also ends it when it next writes to us.
 */
async function terminate(url: string, { pid, startedAt }: Backend): Promise<void> {
  let client: pg.Client | undefined
  const work = async () => {
    client = await connect(url, 'source database')
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where pid = $1 and backend_start = $2::timestamptz`,
      [pid, startedAt],
    )
  }
  const limit = AbortSignal.timeout(terminateTimeoutMs)
  await untilAborted(work(), limit).catch(() => undefined)
  await client?.end().catch(() => undefined)
}
