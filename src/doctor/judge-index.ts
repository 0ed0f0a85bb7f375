import type { TableIndex } from '../datasets/dataset.ts'
import { ok, problem, skipped, warning, type Verdict } from './finding.ts'
import type { IndexFacts } from './ports.ts'

/** Pure. */
export function judgeIndex({
  wanted,
  kind,
  name,
  unordered,
  invalid,
  nameTaken,
}: IndexFacts): Verdict {
  const { table } = wanted
  const columns = describeColumns(wanted)
  if (name !== undefined) return ok(`${table} ${columns}: ${name}`)
  if (kind === undefined) return skipped(`${table} ${columns}: there is no such table`)
  if (kind !== 'table' && kind !== 'partitioned table' && kind !== 'materialized view') {
    return skipped(`${table} is a ${kind}: the plan shows what it is read by`)
  }
  // on a table with partitions PostgreSQL makes none concurrently
  const how = kind === 'partitioned table' ? '' : 'concurrently '
  if (invalid !== undefined) {
    const schema = table.slice(0, table.indexOf('.'))
    return problem(
      `${table} ${columns}: the index ${invalid} is not valid`,
      `Run, on the primary: drop index ${how}${schema}.${invalid}; ${createIndex(wanted, { how, named: true })}`,
    )
  }
  const advice = `Run, on the primary: ${createIndex(wanted, { how, named: !nameTaken })}`
  if (unordered !== undefined) {
    return warning(`${table} ${columns}: what ${unordered} finds has to be sorted`, advice)
  }
  return problem(
    `${table} ${columns}: there is no such index, so that exports read the whole table`,
    advice,
  )
}

/** `(started_at, service_id collate "C")`. */
const describeColumns = ({ columns }: TableIndex) => {
  const each = columns.map(({ name, collation }) =>
    collation === undefined ? name : `${name} collate "${collation}"`,
  )
  return `(${each.join(', ')})`
}

function createIndex(
  wanted: TableIndex,
  { how, named }: { readonly how: string; readonly named: boolean },
): string {
  const { name, table, notNull } = wanted
  const where = notNull === undefined ? '' : ` where ${notNull} is not null`
  return `create index ${how}${named ? `${name} ` : ''}on ${table} ${describeColumns(wanted)}${where};`
}
