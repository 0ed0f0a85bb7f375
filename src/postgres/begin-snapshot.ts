import pg from 'pg'
import type { SourceLimits } from './source-limits.ts'

/** The server's process behind a connection, in a transaction of ours. */
export interface Backend {
  readonly pid: number
  /** As PostgreSQL writes it: tells it from a later process with the same id. */
  readonly startedAt: string
  /** Likewise, of the transaction: tells it from a later one, of somebody else behind a pooler. */
  readonly transactionAt: string
}

export interface BegunSnapshot extends Backend {
  /** When the transaction began, which was before its snapshot was taken. */
  readonly at: Date
  /** By which other transactions can see the same, for as long as this one is open; undefined where they cannot. */
  readonly sharedAs: string | undefined
}

export interface SnapshotOptions {
  readonly limits: SourceLimits
  /** Whether other transactions are to see the same. */
  readonly share?: boolean
  /** Of a snapshot that another transaction shares: it is what this one sees. */
  readonly sharedAs?: string | undefined
}

/** Where a transaction goes back to after an error: the same snapshot still, and the same settings. */
export const savepoint = 'snapshot'

/** In one message: a default of server or role could otherwise end the transaction before we set our own. */
const begin = `
  begin isolation level repeatable read read only;
  set local statement_timeout = 0;
  set local idle_in_transaction_session_timeout = 0`

/** A timer of the transaction that runs already is not wound again by a new value, only by none before. */
const stopTransactionTimer = `
  select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'`

/** Taken through pg_settings, because some exist only in newer versions. */
const set = `
  select set_config(s.name, v.setting, true)
  from unnest($1::text[], $2::text[]) v (name, setting)
  join pg_settings s using (name)
  -- elsewhere the server may refuse it
  where s.name <> 'client_connection_check_interval' or version() like '%linux%'`

const whoAmI = `
  select now() as at, pid, backend_start::text as "startedAt", xact_start::text as "transactionAt"
  from pg_stat_activity where pid = pg_backend_pid()`

/**
 * Settings, so that neither the server's nor the role's defaults change what or how we read, and so that
 * the server is protected from us: nothing of ours outlives its limit, should this process hang or be gone.
 */
const settings = ({ statementMs, writeMs, idleMs, transactionMs }: SourceLimits) => ({
  TimeZone: 'UTC',
  DateStyle: 'ISO',
  jit: 'off',
  // an index gives the rows in order, the first one at once; a sort could spill to disk. Where it is better to
  // sort, the reader says so
  enable_sort: 'off',
  max_parallel_workers_per_gather: '0',
  // a statement that waits for a lock is one that takes long
  lock_timeout: '0',
  statement_timeout: `${statementMs}`,
  idle_in_transaction_session_timeout: `${idleMs}`,
  transaction_timeout: `${transactionMs}`,
  // statement_timeout is not heard while the server waits for us to take what it has written
  tcp_user_timeout: `${writeMs}`,
  // a query notices that its client is gone, also when it has nothing to write yet
  client_connection_check_interval: '500ms',
})

/** It has to come before any query of the transaction, and before a savepoint. */
const adopt = (sharedAs: string | undefined) =>
  sharedAs === undefined ? '' : `;\n  set transaction snapshot ${pg.escapeLiteral(sharedAs)}`

/**
 * Begins the transaction that shows one snapshot. Everything we set lives in it, and nothing before it:
 * a pooler in transaction mode gives one server connection to a transaction, and may give another one to
 * whatever comes before or behind.
 * @throws the driver's error
 */
export async function beginSnapshot(
  client: pg.Client,
  { limits, share = false, sharedAs }: SnapshotOptions,
): Promise<BegunSnapshot> {
  const values = settings(limits)
  const start = async () => {
    await client.query(begin + adopt(sharedAs))
    await client.query(stopTransactionTimer)
    await client.query(set, [Object.keys(values), Object.values(values)])
  }
  await start()
  const shared = share ? await exportSnapshot(client) : sharedAs
  if (shared === undefined && share) await start()
  const { rows } = await client.query<Omit<BegunSnapshot, 'sharedAs'>>(whoAmI)
  // behind the settings: going back to it must not undo them
  await client.query(`savepoint ${savepoint}`)
  return { ...(rows[0] as Omit<BegunSnapshot, 'sharedAs'>), sharedAs: shared }
}

/** @returns undefined, and no transaction any more, where the server cannot do that */
async function exportSnapshot(client: pg.Client): Promise<string | undefined> {
  try {
    const { rows } = await client.query<{ id: string }>('select pg_export_snapshot() as id')
    return rows[0]?.id
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    await client.query('rollback')
    return undefined
  }
}
