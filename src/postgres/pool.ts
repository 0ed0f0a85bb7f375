import pg from 'pg'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import { translatePgError, type DatabaseRole } from './pg-errors.ts'

/** Of all connections. Those kept alive notice a peer that went away without a word. */
export const connectionOptions = {
  application_name: 'longhaul',
  connectionTimeoutMillis: 10_000,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
} as const

/** How long a connection may take to end in good order, ms. */
const endTimeoutMs = 2000

/** Every statement on the control database is short: one without an answer by then has none, ms. */
const queryTimeoutMs = 10_000

/** Runs one statement. @throws SourceError */
export type Query = <Row extends pg.QueryResultRow>(
  text: string,
  values?: readonly unknown[],
) => Promise<pg.QueryResult<Row>>

/** A database that answers short statements over a few shared connections. */
export interface Database {
  readonly query: Query
  /** Statements that are committed together, or not at all when `work` throws. @throws SourceError, what `work` throws */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>
  /** How its connections are used now. */
  usage(): { readonly busy: number; readonly idle: number; readonly waiting: number }
  /** Ends all connections, by force those that do not end in good order; safe to call again. */
  close(): Promise<void>
}

export interface PoolOptions {
  readonly role: DatabaseRole
  /** At most. */
  readonly connections?: number
  /**
   * So many stay open when nobody has used them for ten seconds, the others do not: on a new one the first statement takes
   * 50 ms, for which 1,000 requests a second wait in line.
   */
  readonly kept?: number
}

/** The control database: short statements over a few connections. */
export function createPool(
  url: string,
  { role, connections = 10, kept = 0 }: PoolOptions,
): Database {
  const pool = new pg.Pool({
    ...connectionOptions,
    connectionString: url,
    max: connections,
    min: kept,
    query_timeout: queryTimeoutMs,
  })
  // an idle connection that breaks is dropped by the pool; without a listener it would end the process
  pool.on('error', () => undefined)
  const connected = new Set<pg.PoolClient>()
  pool.on('connect', (client) => {
    connected.add(client)
    // one that breaks between two statements of a transaction; the next statement tells
    client.on('error', () => undefined)
  })
  pool.on('remove', (client) => connected.delete(client))

  async function close(): Promise<void> {
    await inGoodOrder(pool.end())
    for (const { connection } of connected) connection.stream.destroy()
  }
  let closed: Promise<void> | undefined
  const translated = <T>(work: Promise<T>) =>
    work.catch((error: unknown) => {
      throw translatePgError(error, role)
    })

  async function transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await translated(pool.connect())
    const query: Query = (text, values = []) => translated(client.query(text, [...values]))
    let failed = true
    try {
      await query('begin')
      const result = await work(query)
      await query('commit')
      failed = false
      return result
    } finally {
      // a connection that is closed rolls back what it had begun, whatever state it is in
      client.release(failed)
    }
  }

  return {
    query: (text, values = []) => translated(pool.query(text, [...values])),
    transaction,
    usage: () => ({
      busy: pool.totalCount - pool.idleCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
    close: () => (closed ??= close()),
  }
}

/**
 * Opens one connection of its own, for work whose unclean end must not leave a connection behind
 * that somebody else would use. The caller disconnects it.
 * @param signal gives up the attempt to connect; of no meaning later
 * @throws SourceError, or the signal's reason
 */
export async function connect(
  url: string,
  role: DatabaseRole,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<pg.Client> {
  signal?.throwIfAborted()
  const client = new pg.Client({ ...connectionOptions, connectionString: url })
  // a broken connection also rejects what waits on it; the event alone would end the process
  client.on('error', () => undefined)
  try {
    const connecting = client.connect()
    await (signal === undefined ? connecting : untilAborted(connecting, signal))
    return client
  } catch (error) {
    // to one that never says a word there is no good order
    if (signal?.aborted) client.connection.stream.destroy()
    await disconnect(client)
    signal?.throwIfAborted()
    throw translatePgError(error, role)
  }
}

/** Ends a connection; one whose other side has gone silent, and never says good-bye, by force. Never throws. */
export async function disconnect(client: pg.Client): Promise<void> {
  await inGoodOrder(client.end())
  client.connection.stream.destroy()
}

/** Waits for an end, but not for ever. Never throws. */
export const inGoodOrder = (ending: Promise<void>): Promise<void> =>
  untilAborted(ending, abortAfter(endTimeoutMs)).catch(() => undefined)
