import type { ArchiveFacts, ControlInspection, QueueSchemaFacts } from '../doctor/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import { askReadOnly } from './ask-read-only.ts'
import { inspectDatabase } from './inspect-database.ts'
import { readMigrations } from './migrate.ts'

const role = 'control database'

/** Where they do not exist, none is missing: that is the migrations' business. */
const missingRights = `
  select privilege || ' on ' || relation as missing
  from unnest(array['longhaul.exports', 'longhaul.migrations'],
              array['select, insert, update', 'select']) as needed (relation, privileges)
  cross join unnest(string_to_array(privileges, ', ')) as privilege
  where exists (
    select from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where format('%s.%s', n.nspname, c.relname) = relation
      and not (has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, privilege)))`

const queueSchema = `
  select exists (select from pg_namespace where nspname = $1) as exists,
    has_database_privilege(current_database(), 'create') as "mayCreate"`

const archives = 'select name, unit, time_zone as "timeZone" from longhaul.archives order by name'

/** What the control database is asked besides. @param queueSchemaName of the queue, where it is in there */
export const inspectControl = (
  url: string,
  options: { readonly clock: Clock; readonly queueSchemaName: string },
): ControlInspection => ({
  ...inspectDatabase(url, role, options),
  migrations: (asking) => askReadOnly(url, role, asking, readMigrations),
  missingRights: (asking) =>
    askReadOnly(url, role, asking, async (query) =>
      (await query<{ missing: string }>(missingRights)).rows.map(({ missing }) => missing),
    ),
  queueSchema: (asking) =>
    askReadOnly(url, role, asking, async (query) => {
      const { rows } = await query<QueueSchemaFacts>(queueSchema, [options.queueSchemaName])
      return rows[0] as QueueSchemaFacts
    }),
  archives: (asking) =>
    askReadOnly(url, role, asking, async (query) => (await query<ArchiveFacts>(archives)).rows),
})
