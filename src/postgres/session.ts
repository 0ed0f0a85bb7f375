import pg from 'pg'
import QueryStream from 'pg-query-stream'
import type { DatasetQuery, Statement } from '../datasets/dataset.ts'
import { SourceError } from '../errors.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import { MiB } from '../runtime/units.ts'
import {
  beginSnapshot,
  savepoint,
  type BegunSnapshot,
  type SnapshotOptions,
} from './begin-snapshot.ts'
import { assertColumnTypes } from './column-types.ts'
import { endBackend } from './end-backend.ts'
import { translatePgError } from './pg-errors.ts'
import { querySynced } from './query-synced.ts'
import { readBatches } from './row-batches.ts'
import { searchRecord, type FailedQuery } from './search-record.ts'
import type { SourceConnections, TakenConnection } from './source-connections.ts'

/** A row as it comes: the text of each column. */
export type Row = readonly (string | null)[]

export interface ReadRowsOptions {
  /** Rows of one round trip, at most. */
  readonly batchRows: number
  /**
   * Takes each text as soon as it arrives: the row then has an empty one. A batch ends early when much has been taken:
   * its rows were expected to be smaller, and come with a later one.
   */
  readonly take?: ((text: string) => void) | undefined
}

/**
 * A connection of its own in a transaction that shows one snapshot. One statement at a time. All of it
 * throws SourceErrors, EncodeErrors, or the reason of the signal it was opened with.
 */
export interface Session {
  readonly begun: BegunSnapshot
  /** Runs a short statement. */
  ask<Answer extends pg.QueryResultRow>(statement: Statement): Promise<readonly Answer[]>
  /** Makes sure that a query's tables have columns it can show. */
  checkTables(query: DatasetQuery): Promise<void>
  /** Reads a statement in batches; it may be left early. */
  read(query: DatasetQuery, options: ReadRowsOptions): AsyncGenerator<readonly Row[]>
  /**
   * Ends the transaction, and unless all was read to its end also the connection: a statement still running is canceled
   * on the server. Never throws; safe to call again.
   */
  close(): Promise<void>
}

/** What a batch may bring before it is handed on, whole or not: UTF-16 units. */
const mostTaken = 2 * MiB

/** How long the end of a transaction that has only read may take, ms. */
const rollbackMs = 500

/** How long a record that makes the export fail is searched for, to be named, ms. */
const searchTimeoutMs = 10_000

/** @throws SourceError, or the reason of the signal */
export async function openSession(
  connections: SourceConnections,
  { signal, ...options }: SnapshotOptions & { readonly signal: AbortSignal },
): Promise<Session> {
  for (;;) {
    signal.throwIfAborted()
    const taking = connections.take()
    let taken: TakenConnection | undefined
    try {
      taken = await untilAborted(taking, signal)
      const begun = await untilAborted(beginSnapshot(taken.client, options), signal)
      return createSession(connections.url, taken, begun, signal)
    } catch (error) {
      void taking.then(({ leave }) => leave()).catch(() => undefined)
      signal.throwIfAborted()
      // one that was used before may have broken since: another one will tell
      if (taken?.used !== true) throw translatePgError(error, 'source database')
    }
  }
}

function createSession(
  url: string,
  { client, giveBack, leave: leaveConnection }: TakenConnection,
  begun: BegunSnapshot,
  outer: AbortSignal,
): Session {
  // A query stream on a connection that died fires neither error nor close (node-postgres issue
  // 2870): the reader listens to the connection itself instead of trusting the stream.
  const broken = new AbortController()
  let said: Error | undefined
  const onError = (error: Error) => void (said ??= error)
  const onBroken = (error?: Error) => broken.abort(lost(said ?? error))
  const onEnd = () => onBroken()
  client.on('error', onBroken)
  client.on('end', onEnd)
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
    clean = false
    outer.throwIfAborted()
    if (!(error instanceof pg.DatabaseError)) broken.signal.throwIfAborted()
  }

  /** The connection takes one statement at a time: what was read before is closed by then. */
  let ready: Promise<void> = Promise.resolve()
  /** Whether all that was read was read to its end: the connection is then fit for another snapshot. */
  let clean = true

  /** Runs short statements. */
  async function run<T>(work: () => Promise<T>): Promise<T> {
    try {
      await untilAborted(ready, signal)
      return await untilAborted(counted(work()), signal)
    } catch (error) {
      throwReason(error)
      throw translatePgError(error, 'source database')
    }
  }

  async function* read(query: DatasetQuery, { batchRows, take }: ReadRowsOptions) {
    const { stream: socket } = client.connection
    let arrived = 0
    let taken = 0
    let over = false
    let leftEarly = true

    function parse(text: string): string {
      if (take === undefined) return text
      // what the server still sends of a batch that nobody wants
      if (over) return ''
      arrived++
      take(text)
      taken += text.length
      if (taken >= mostTaken) socket.pause()
      return ''
    }
    try {
      const types = { getTypeParser: () => parse }
      const config = { batchSize: batchRows, rowMode: 'array', types } as const
      const stream = new QueryStream(query.text, [...query.values], config)
      await untilAborted(ready, signal)
      let onClosed: () => void = () => undefined
      ready = new Promise((resolve) => (onClosed = resolve))
      const running = querySynced(client, stream, { onWork, onClosed, onError })
      for await (const rows of readBatches<Row>(running, socket, signal)) {
        taken = 0
        yield rows
        if (take === undefined) arrived += rows.length
      }
      leftEarly = false
    } catch (error) {
      throwReason(error)
      throw await explain({ query, error, arrived })
    } finally {
      over = true
      if (leftEarly) clean = false
    }
  }

  /** The error that says most about a statement that failed. */
  async function explain(failed: FailedQuery): Promise<Error> {
    const { query, error } = failed
    const refusal = error instanceof Error ? query.refusal(error.message) : undefined
    if (refusal !== undefined) return refusal
    const limit = abortAfter(searchTimeoutMs, signal)
    const search = counted(searchRecord(client, savepoint, failed))
    const named = await untilAborted(search, limit).catch(() => undefined)
    return named ?? translatePgError(error, 'source database')
  }

  let left: Promise<void> | undefined
  const leave = () => (left ??= leaveConnection())
  /** Whether somebody else may use the connection: where all went well it is out of its transaction then. */
  async function cleanUp(): Promise<boolean> {
    if (!clean || working > 0 || broken.signal.aborted) return false
    const rolledBack = ready.then(() => client.query('rollback')).then(() => true)
    const limit = abortAfter(rollbackMs, broken.signal)
    return untilAborted(rolledBack, limit).catch(() => false)
  }
  async function end(): Promise<void> {
    if (await cleanUp()) {
      client.off('error', onBroken)
      client.off('end', onEnd)
      giveBack()
      return
    }
    // closing the socket alone would leave the server computing for a while
    if (working > 0 && !broken.signal.aborted) await endBackend(url, begun, leave)
    await leave()
  }
  let ended: Promise<void> | undefined

  return {
    begun,
    ask: async <Answer extends pg.QueryResultRow>({ text, values }: Statement) =>
      (await run(() => client.query<Answer>(text, [...values]))).rows,
    checkTables: ({ tables }) => run(() => assertColumnTypes(client, tables)),
    read,
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
