import type { RoleFacts, SourceInspection, StandbyFacts } from '../doctor/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import { askReadOnly } from './ask-read-only.ts'
import { inspectDatabase } from './inspect-database.ts'
import { inspectIndexes } from './inspect-indexes.ts'
import { inspectPlans } from './inspect-plans.ts'
import { inspectTables } from './inspect-tables.ts'

const role = 'source database'

/** A primary that does nothing sends nothing: what has come and was replayed is all that there is. */
const standbyQuery = `
  select case when received = pg_last_wal_replay_lsn() then 0
      else date_part('epoch', clock_timestamp() - pg_last_xact_replay_timestamp()) * 1000
    end as "lagMs",
    current_setting('hot_standby_feedback')::boolean as feedback,
    name as "delaySetting", setting::float8 as "delayMs"
  from pg_last_wal_receive_lsn() as received
  join pg_settings on name =
    case when received is null then 'max_standby_archive_delay' else 'max_standby_streaming_delay' end
  where pg_is_in_recovery()`

const roleQuery = `
  select rolname as name,
    least(nullif(rolconnlimit, -1), nullif(datconnlimit, -1),
      current_setting('max_connections')::integer
        - current_setting('superuser_reserved_connections')::integer) as connections
  from pg_roles, pg_database
  where rolname = current_user and datname = current_database()`

/** The greatest of the bounds, between which there are as many rows each, is one row, which may stand alone. */
const recentEvent = `
  select bound as at
  from pg_stats, unnest(histogram_bounds::text::timestamptz[]) as bound
  where format('%s.%s', schemaname, tablename) = $1 and attname = $2
    and bound > '-infinity' and bound <= now()
  order by bound desc offset 1 limit 1`

type StandbyRow = Omit<StandbyFacts, 'lagMs'> & { readonly lagMs: number | null }

/** What the source is asked besides. */
export const inspectSource = (
  url: string,
  options: { readonly clock: Clock },
): SourceInspection => ({
  ...inspectDatabase(url, role, options),
  standby: (asking) =>
    askReadOnly(url, role, asking, async (query) => {
      const [row] = (await query<StandbyRow>(standbyQuery)).rows
      return row && { ...row, lagMs: row.lagMs ?? undefined }
    }),
  role: (asking) =>
    askReadOnly(
      url,
      role,
      asking,
      async (query) => (await query<RoleFacts>(roleQuery)).rows[0] as RoleFacts,
    ),
  tables: (tables, asking) =>
    askReadOnly(url, role, asking, (_query, client) => inspectTables(client, tables)),
  indexes: (indexes, asking) =>
    askReadOnly(url, role, asking, (query) => inspectIndexes(query, indexes)),
  recentEvent: ({ table, column }, asking) =>
    askReadOnly(url, role, asking, async (query) => {
      const { rows } = await query<{ at: Date }>(recentEvent, [table, column])
      return rows[0]?.at
    }),
  plans: (queries, asking) => inspectPlans(url, queries, asking),
})
