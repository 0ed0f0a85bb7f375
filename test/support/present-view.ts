import type pg from 'pg'

export type ReferenceTable = 'services' | 'states' | 'tasks'

/**
 * Puts a view in the place of a reference table, as an existing installation does. The rows are in
 * `context_services.real_<table>`, which gets the columns `raw_text text` and `raw_json json`.
 * @param columns SQL over a row `r` of it, in the place of columns of the view
 */
export async function presentView(
  pool: pg.Pool,
  table: ReferenceTable,
  columns: Readonly<Record<string, string>>,
): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    `select column_name as name from information_schema.columns
     where table_schema = 'context_services' and table_name = $1 order by ordinal_position`,
    [table],
  )
  const list = rows.map(({ name }) => `${columns[name] ?? `r.${name}`} as ${name}`)
  await pool.query(`
    alter table context_services.${table} rename to real_${table};
    alter table context_services.real_${table} add raw_text text, add raw_json json;
    create view context_services.${table} as
    select ${list.join(', ')} from context_services.real_${table} r`)
}
