import pg from 'pg'
import type { Standby } from '../export/model.ts'
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
  /** Undefined on a primary, and where the snapshot is that of another transaction. */
  readonly standby: Standby | undefined
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

const begin = `
  begin isolation level repeatable read read only;
  set local statement_timeout = 0;
  set local idle_in_transaction_session_timeout = 0`

/** In a transaction of its own: what was replayed by then is in any snapshot that is taken after it. */
const lookAtReplay = `
  begin read only;
  select pg_is_in_recovery() as recovering, pg_last_xact_replay_timestamp() as "replayedAt";
  commit`

/** The same transaction for `now()` and `pg_stat_activity`. */
const whoAmI = `
  select now() as at, pid, backend_start::text as "startedAt", now()::text as "transactionAt"
  from pg_stat_get_activity(pg_backend_pid())`

/** Where the server has them: some exist only in newer versions, and elsewhere than on Linux it may refuse one. */
function set(values: Readonly<Record<string, string>>): string {
  const rows = Object.entries(values).map((pair) => `(${pair.map(pg.escapeLiteral).join(', ')})`)
  return `
  select set_config(name, value, true) from (values ${rows.join(', ')}) as v (name, value)
  where current_setting(name, true) is not null
    and (name <> 'client_connection_check_interval' or version() like '%linux%')`
}

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
  if (!share) return start(client, limits, sharedAs)
  try {
    return await start(client, limits, undefined, exportSnapshot)
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    // where the server cannot do that, there is one who reads
    await client.query('rollback').catch(() => {
      throw error
    })
    return start(client, limits, undefined)
  }
}

const exportSnapshot = 'select pg_export_snapshot() as id'

/** In one message: a default of server or role could otherwise end the transaction before we set our own. */
async function start(
  client: pg.Client,
  limits: SourceLimits,
  adopted: string | undefined,
  share?: string,
): Promise<BegunSnapshot> {
  const statements = [
    ...(adopted === undefined ? [lookAtReplay] : []),
    begin,
    // before any query of the transaction, and before a savepoint
    ...(adopted === undefined ? [] : [`set transaction snapshot ${pg.escapeLiteral(adopted)}`]),
    // a timer that runs already is not wound again by a new value, only by none before
    set({ transaction_timeout: '0' }),
    set(settings(limits)),
    ...(share === undefined ? [] : [share]),
    whoAmI,
    // behind the settings: going back to it must not undo them
    `savepoint ${savepoint}`,
  ]
  const results = (await client.query(statements.join(';'))) as unknown as pg.QueryResult[]
  const [backend] = results.at(-2)?.rows as [Omit<BegunSnapshot, 'sharedAs' | 'standby'>]
  const shared = share === undefined ? undefined : (results.at(-3)?.rows[0] as { id: string })
  return { ...backend, sharedAs: shared?.id ?? adopted, standby: standbyOf(results, adopted) }
}

function standbyOf(
  results: readonly pg.QueryResult[],
  adopted: string | undefined,
): Standby | undefined {
  if (adopted !== undefined) return undefined
  const [found] = (results[1]?.rows ?? []) as readonly ReplayRow[]
  return found?.recovering === true ? { replayedAt: found.replayedAt ?? undefined } : undefined
}

interface ReplayRow {
  readonly recovering: boolean
  readonly replayedAt: Date | null
}
