import pg from 'pg'
import QueryStream from 'pg-query-stream'
import type { DatasetQuery } from '../datasets/dataset.ts'
import { EncodeError, SourceError } from '../errors.ts'
import type { RowSource, Snapshot } from '../export/ports.ts'
import { untilAborted } from '../runtime/abort.ts'
import { MiB } from '../runtime/units.ts'
import { beginSnapshot, savepoint, type BegunSnapshot } from './begin-snapshot.ts'
import { assertColumnTypes } from './column-types.ts'
import { endBackend } from './end-backend.ts'
import { translatePgError } from './pg-errors.ts'
import { connect, disconnect } from './pool.ts'
import { querySynced } from './query-synced.ts'
import { readBatches } from './row-batches.ts'
import { searchRecord, type FailedQuery } from './search-record.ts'
import type { SourceLimits } from './source-limits.ts'

/** What one round trip to the server may well bring, and so what is held in memory. */
const batchBytes = 1 * MiB

/** Rows of one round trip: few large ones, or many small ones, so that neither memory nor latency counts. */
const batchRowsFor = (rowBytes: number) =>
  Math.min(5000, Math.max(100, Math.floor(batchBytes / rowBytes)))

/** How long a record that makes the export fail is searched for, to be named, ms. */
const searchTimeoutMs = 10_000

/**
 * Reads from the source database, each snapshot on a connection of its own that is then thrown away.
 * @param limits what the server ends by itself; our own limits should come first
 */
export function createRowSource(url: string, limits: SourceLimits): RowSource {
  return {
    async open({ signal }) {
      signal.throwIfAborted()
      const connecting = connect(url, 'source database')
      try {
        const client = await untilAborted(connecting, signal)
        const begun = await untilAborted(beginSnapshot(client, limits), signal)
        return createSnapshot(url, client, begun, signal)
      } catch (error) {
        void connecting.then(disconnect).catch(() => undefined)
        signal.throwIfAborted()
        throw translatePgError(error, 'source database')
      }
    },
  }
}

function createSnapshot(
  url: string,
  client: pg.Client,
  begun: BegunSnapshot,
  outer: AbortSignal,
): Snapshot {
  // A query stream on a connection that died fires neither error nor close (node-postgres issue
  // 2870): the reader listens to the connection itself instead of trusting the stream.
  const broken = new AbortController()
  let said: Error | undefined
  const onError = (error: Error) => void (said ??= error)
  client.on('error', (error) => broken.abort(lost(said ?? error)))
  client.on('end', () => broken.abort(lost(said)))
  const signal = AbortSignal.any([outer, broken.signal])
  /** Statements that the server is at work on, whether anybody still waits for them or not. */
  let working = 0
  const onWork = (begins: boolean) => void (working += begins ? 1 : -1)

  function counted<T>(work: Promise<T>): Promise<T> {
    onWork(true)
    return work.finally(() => onWork(false))
  }

  /** The caller's reason comes first, then what the server said, then that it is gone. */
  function throwReason(error: unknown): void {
    outer.throwIfAborted()
    if (!(error instanceof pg.DatabaseError)) broken.signal.throwIfAborted()
  }

  /** Waits for short statements. */
  async function ask<T>(work: Promise<T>): Promise<T> {
    try {
      return await untilAborted(counted(work), signal)
    } catch (error) {
      throwReason(error)
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
      const { text, values, rowBytes } = query
      const batchSize = batchRowsFor(rowBytes)
      const stream = new QueryStream(text, [...values], { batchSize, rowMode: 'array' })
      const running = querySynced(client, stream, { onWork, onError })
      for await (const rows of readBatches<readonly string[]>(running, signal)) {
        yield rows.map(([element]) => element ?? refuseNull())
        arrived += rows.length
      }
    } catch (error) {
      throwReason(error)
      throw await explain({ query, error, arrived })
    }
  }

  /** The error that says most about a statement that failed. */
  async function explain(failed: FailedQuery): Promise<Error> {
    const { query, error } = failed
    const refusal = error instanceof Error ? query.refusal(error.message) : undefined
    if (refusal !== undefined) return refusal
    const limit = AbortSignal.any([signal, AbortSignal.timeout(searchTimeoutMs)])
    const search = counted(searchRecord(client, savepoint, failed))
    const named = await untilAborted(search, limit).catch(() => undefined)
    return named ?? translatePgError(error, 'source database')
  }

  let left: Promise<void> | undefined
  const leave = () => (left ??= disconnect(client))
  async function end(): Promise<void> {
    // closing the socket alone would leave the server computing for a while
    if (working > 0 && !broken.signal.aborted) await endBackend(url, begun, leave)
    await leave()
  }
  let ended: Promise<void> | undefined

  return {
    at: begun.at,
    async estimate(queries) {
      await checkTables(queries)
      return ask(estimateRows(client, queries))
    },
    async *read(queries) {
      await checkTables(queries)
      for (const query of queries) yield* readQuery(query)
    },
    close: () => (ended ??= end()),
  }
}

/** Why a connection has ended; mostly the server has said so before. */
const lost = (cause?: Error): Error =>
  cause instanceof pg.DatabaseError
    ? translatePgError(cause, 'source database')
    : new SourceError('SOURCE_UNAVAILABLE', 'The connection to the source database was lost.', {
        cause,
      })

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
