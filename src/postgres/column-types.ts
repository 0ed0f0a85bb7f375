import pg from 'pg'
import type { ColumnType, SourceTable } from '../datasets/dataset.ts'
import { SourceError } from '../errors.ts'

const { TEXT, VARCHAR, INT2, INT4, INT8, TIMESTAMPTZ, JSONB } = pg.types.builtins

/** What PostgreSQL renders as it is; the server tells a domain by the type it is made of. */
const accepted: Readonly<Record<ColumnType, readonly number[]>> = {
  text: [TEXT, VARCHAR],
  integer: [INT2, INT4, INT8],
  'timestamp with time zone': [TIMESTAMPTZ],
  jsonb: [JSONB],
}

interface Mismatch {
  readonly column: string
  readonly expected: ColumnType
  readonly oid: number
}

/**
 * Views may present any types, and not all of them fail by themselves: an integer as an id would
 * become a JSON number, `NaN` would break the JSON, a local time would be taken for UTC.
 * @throws SourceError that lists every column of a wrong type; the server's error for one that is missing
 */
export async function assertColumnTypes(
  client: pg.Client,
  tables: readonly SourceTable[],
): Promise<void> {
  const mismatches: Mismatch[] = []
  const selects = tables.map(
    ({ name, columns }) => `select ${Object.keys(columns).join(', ')} from ${name} limit 0`,
  )
  const answers: unknown = await client.query(selects.join('; '))
  const results = [answers].flat() as readonly pg.QueryResult[]
  for (const [index, { name, columns }] of tables.entries()) {
    const { fields } = results[index] ?? { fields: [] }
    for (const { name: column, dataTypeID: oid } of fields) {
      const expected = columns[column] as ColumnType
      if (!accepted[expected].includes(oid)) {
        mismatches.push({ column: `${name}.${column}`, expected, oid })
      }
    }
  }
  if (mismatches.length === 0) return
  const types = await typeNames(client, mismatches)
  const list = mismatches.map((m, i) => `${m.column} is ${types[i]}, expected ${m.expected}`)
  throw new SourceError(
    'SOURCE_QUERY_FAILED',
    `The source database has columns of another type: ${list.join('; ')}.`,
    {
      hint: "Convert them in the view, such as `extensions::jsonb`, or `started_at at time zone 'Europe/Berlin'` for local times.",
    },
  )
}

async function typeNames(client: pg.Client, of: readonly Mismatch[]): Promise<readonly string[]> {
  const text = `select format_type(oid, null) as name
    from unnest($1::oid[]) with ordinality as given (oid, n) order by n`
  const { rows } = await client.query<{ name: string }>(text, [of.map(({ oid }) => oid)])
  return rows.map(({ name }) => name)
}
