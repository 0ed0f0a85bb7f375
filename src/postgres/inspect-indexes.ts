import type { TableIndex } from '../datasets/dataset.ts'
import type { IndexFacts } from '../doctor/ports.ts'
import { relationKinds } from './inspect-tables.ts'
import { matchFirstColumn, matchIndex, type ExistingIndex } from './match-index.ts'
import type { Query } from './pool.ts'

/** Of each column in the key of the index `i`: an expression over its place `k`, from 0. */
const ofKey = (expression: string) =>
  `array(select ${expression} from generate_series(0, i.indnkeyatts - 1) as k order by k)`

const indexesQuery = `
  select format('%s.%s', n.nspname, t.relname) as table, x.relname as name,
    i.indisvalid and i.indisready as valid, pg_get_expr(i.indpred, i.indrelid) as predicate,
    ${ofKey(`(select attname::text from pg_attribute where attrelid = t.oid and attnum = i.indkey[k])`)} as columns,
    ${ofKey(`(select collname::text from pg_collation where oid = i.indcollation[k])`)} as collations,
    ${ofKey('i.indoption[k]::integer')} as options
  from pg_index i
  join pg_class t on t.oid = i.indrelid
  join pg_namespace n on n.oid = t.relnamespace
  join pg_class x on x.oid = i.indexrelid
  join pg_am am on am.oid = x.relam
  where am.amname = 'btree' and format('%s.%s', n.nspname, t.relname) = any($1::text[])
  order by x.relname`

const namesQuery = `
  select format('%s.%s', n.nspname, c.relname) as name, c.relkind::text as kind
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where format('%s.%s', n.nspname, c.relname) = any($1::text[])`

/** An index lives in the schema of its table. */
const pathOf = ({ table, name }: TableIndex) => `${table.slice(0, table.indexOf('.'))}.${name}`

/** Which of the indexes are there, under any name. @throws the driver's errors */
export async function inspectIndexes(
  query: Query,
  indexes: readonly TableIndex[],
): Promise<readonly IndexFacts[]> {
  const tables = indexes.map(({ table }) => table)
  const existing = (await query<ExistingIndex>(indexesQuery, [tables])).rows
  const names = [...tables, ...indexes.map(pathOf)]
  const { rows } = await query<{ name: string; kind: string }>(namesQuery, [names])
  const kinds = new Map(rows.map(({ name, kind }) => [name, kind]))
  return indexes.map((wanted) => {
    const found = matchIndex(wanted, existing)
    const unordered = matchFirstColumn(wanted, existing)
    return {
      wanted,
      kind: relationKinds[kinds.get(wanted.table) ?? ''],
      name: found?.valid === true ? found.name : undefined,
      unordered: unordered?.valid === true ? unordered.name : undefined,
      invalid: found?.valid === false ? found.name : undefined,
      nameTaken: kinds.has(pathOf(wanted)),
    }
  })
}
