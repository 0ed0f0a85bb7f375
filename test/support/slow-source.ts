import pg from 'pg'
import type { Release } from './release.ts'

/** Something that queries the source: a pool, or one connection after another. */
interface Queries {
  query(sql: string, values?: unknown[]): Promise<unknown>
}

/**
 * Puts a view in the place of the services that gives the `quick` first ones at once, and then waits
 * a minute at the next: an export that runs until somebody ends it.
 * @param bytes of padding in each service
 */
export async function makeSourceSlow(
  { pool }: { readonly pool: Queries },
  { quick = 0, bytes = 0 }: { readonly quick?: number; readonly bytes?: number } = {},
): Promise<void> {
  await pool.query(`alter table context_services.services rename to all_services`)
  await pool.query(
    `insert into context_services.all_services (service_id, service_type, started_at, extensions)
     select 'slow-' || n, '100', timestamptz '2014-07-22T12:00:00Z' + n * interval '1 ms',
            jsonb_build_object('padding', repeat('x', $2))
     from generate_series(1, $1::integer) n`,
    [quick + 1, bytes],
  )
  await pool.query(`analyze context_services.all_services`)
  await pool.query('create table context_services.slow as select true as yes')
  // the sleep is volatile and no column: it runs for the row that it is asked for, after the others
  await pool.query(
    `create view context_services.services as
     select * from context_services.all_services
     where service_id <> 'slow-${quick + 1}' or not exists (select from context_services.slow)
       or pg_sleep(60)::text = ''`,
  )
}

/**
 * Gives all services at once to whoever opens a snapshot from now on; whoever reads meanwhile loses the
 * connection. The view stays: without it, for a moment, there would be no services at all.
 */
export async function makeSourceQuick({ pool }: { readonly pool: Queries }): Promise<void> {
  await pool.query('delete from context_services.slow')
  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'longhaul'
       and state <> 'idle' and query not like '%longhaul.exports%'`,
  )
}

/** Any number that nobody else uses. */
const gateLock = 0x6761_7465

/**
 * Puts a view in the place of the services whose only row comes to nobody before the gate is opened; no
 * connection is lost by that.
 * @returns opens the gate
 */
export async function gateSource(
  { pool, url }: { readonly pool: Queries; readonly url: string },
  release: Release,
): Promise<() => Promise<void>> {
  const holder = new pg.Client(url)
  await holder.connect()
  let open = false
  const openGate = async () => {
    if (!open) await holder.end()
    open = true
  }
  release(openGate)
  await holder.query('select pg_advisory_lock($1)', [gateLock])
  await pool.query('alter table context_services.services rename to all_services')
  await pool.query(
    `insert into context_services.all_services (service_id, service_type, started_at)
     values ('gated', '100', timestamptz '2014-07-22T12:00:01Z')`,
  )
  await pool.query(
    `create view context_services.services as
     select * from context_services.all_services
     where pg_advisory_xact_lock_shared(${gateLock})::text = ''`,
  )
  return openGate
}
