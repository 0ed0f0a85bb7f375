import pg from 'pg'
import type { SourceTable } from '../datasets/dataset.ts'
import type { RelationKind, TableFacts } from '../doctor/ports.ts'
import { ExportError } from '../errors.ts'
import { assertColumnTypes } from './column-types.ts'
import { translatePgError } from './pg-errors.ts'

/** By `relkind` of pg_class. */
export const relationKinds: Readonly<Record<string, RelationKind>> = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
}

/**
 * By the catalog, which everybody may read. Statistics are shown to whoever may read the table; of an empty one there
 * are none.
 */
const tablesQuery = `
  select given.name, relation.kind, quote_ident(current_user) as user,
    coalesce(row_security_active(relation.oid), false) as "hidesRows",
    case when relation.kind not in ('r', 'p', 'm') or row_security_active(relation.oid)
        or not has_table_privilege(relation.oid, 'select')
        or coalesce((select sum(pg_relation_size(relid)) from pg_partition_tree(relation.oid)),
             pg_relation_size(relation.oid)) = 0 then null
      else exists (select from pg_stats where format('%s.%s', schemaname, tablename) = given.name)
    end as analyzed
  from unnest($1::text[]) with ordinality as given (name, n)
  left join (
    select c.oid, c.relkind::text as kind, format('%s.%s', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace) as relation
    on relation.name = given.name
  order by n`

interface TableRow {
  readonly name: string
  readonly kind: string | null
  readonly user: string
  readonly hidesRows: boolean
  readonly analyzed: boolean | null
}

/**
 * What is under these names, and whether it can be read as an export does. In a transaction.
 * @throws the driver's errors
 */
export async function inspectTables(
  client: pg.Client,
  tables: readonly SourceTable[],
): Promise<readonly TableFacts[]> {
  const { rows } = await client.query<TableRow>(tablesQuery, [tables.map(({ name }) => name)])
  const facts: TableFacts[] = []
  for (const [n, table] of tables.entries()) {
    const { kind, analyzed, ...row } = rows[n] as TableRow
    const failure = kind === null ? undefined : await failureOf(client, table)
    facts.push({
      ...row,
      kind: kind === null ? undefined : relationKinds[kind],
      failure,
      analyzed: analyzed ?? undefined,
    })
  }
  return facts
}

async function failureOf(client: pg.Client, table: SourceTable): Promise<ExportError | undefined> {
  await client.query('savepoint before')
  try {
    await assertColumnTypes(client, [table])
    return undefined
  } catch (error) {
    if (!(error instanceof pg.DatabaseError || error instanceof ExportError)) throw error
    await client.query('rollback to savepoint before')
    return translatePgError(error, 'source database')
  }
}
