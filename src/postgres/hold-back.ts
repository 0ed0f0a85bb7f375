/** SQL that keeps the running exports of one API key below a number. */
import type { Dispatched } from '../export/ports.ts'
import type { ExportRow } from './export-row.ts'
import type { Query } from './pool.ts'

/** Any number that nobody else uses: with the hash of a key's name, one decision at a time about its exports. */
const lockSpace = 0x7475_726e

const takeTurns = (query: Query, requestedBy: string) =>
  query('select pg_advisory_xact_lock($1, hashtext($2))', [lockSpace, requestedBy])

/**
 * Holds a queued export back when its key runs as many as it may, or when an older one of the key is held
 * back, so that they come in their order. In the transaction of the claim that would follow.
 * @returns whether it is held back now; never when nobody's key asked for it, nor when an attempt of it runs
 */
export async function holdBack(query: Query, id: string, perKey: number): Promise<boolean> {
  const { rows } = await query<{ requested_by: string }>(
    `select requested_by from longhaul.exports where id = $1 and state = 'queued'`,
    [id],
  )
  const requestedBy = rows[0]?.requested_by ?? ''
  if (requestedBy === '') return false
  // only statements that begin after it see what another decision has changed
  await takeTurns(query, requestedBy)
  const { rowCount } = await query(
    `update longhaul.exports as this set held_back = true
     where id = $1 and state = 'queued' and (
       $3 <= (select count(*) from longhaul.exports where requested_by = $2 and state = 'running')
       or exists (select from longhaul.exports as older
         where older.requested_by = $2 and older.held_back and older.state = 'queued'
           and (older.created_at, older.id) < (this.created_at, this.id)))`,
    [id, requestedBy, perKey],
  )
  return rowCount === 1
}

/**
 * Gives those that are held back of one key a new dispatch, the oldest first, as many as it may now run.
 * @returns ids and dispatches, the oldest first
 */
export async function admit(
  query: Query,
  requestedBy: string,
  { perKey, limit }: { readonly perKey: number | undefined; readonly limit: number },
): Promise<readonly Dispatched[]> {
  await takeTurns(query, requestedBy)
  const { rows } = await query<AdmittedRow>(
    `with next as (
       select id from longhaul.exports
       where held_back and state = 'queued' and requested_by = $1
       order by created_at, id
       limit least($3, greatest(0, $2 -
         (select count(*) from longhaul.exports where requested_by = $1 and state = 'running')))), admitted as (
       update longhaul.exports set held_back = false, dispatch = dispatch + 1
       where id in (select id from next)
       returning id, dispatch, archive, traceparent, created_at)
     select id, dispatch, archive, traceparent from admitted order by created_at, id`,
    [requestedBy, perKey ?? limit, limit],
  )
  return rows.map(({ id, dispatch, archive, traceparent }) => ({
    ...{ id, dispatch },
    ...(archive === null ? {} : { archive }),
    ...(traceparent === null ? {} : { traceparent }),
  }))
}

type AdmittedRow = Pick<ExportRow, 'id' | 'dispatch' | 'archive' | 'traceparent'>

/** The keys of which exports are held back. */
export async function keysHeldBack(query: Query): Promise<readonly string[]> {
  const { rows } = await query<{ requested_by: string }>(
    `select distinct requested_by from longhaul.exports where held_back and state = 'queued'`,
  )
  return rows.map((row) => row.requested_by)
}
