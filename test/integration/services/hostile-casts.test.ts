import type pg from 'pg'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { presentView, type ReferenceTable } from '../../support/present-view.ts'
import { readTexts } from '../../support/read-selection.ts'

/** 3,000 services, each with a state and a task; each table by a view that casts to jsonb. */
async function setup(): Promise<{ url: string; pool: pg.Pool }> {
  const { url, pool } = await createTestDatabase(onTestFinished)
  await pool.query(`
    insert into context_services.services (service_id, service_type, started_at)
      select 'S' || n, '100', timestamptz '2014-07-22T12:00:00Z' + n * interval '1 ms'
      from generate_series(1, 3000) n;
    insert into context_services.states (service_id, state_id, state_type, started_at)
      select service_id, '0', '1', started_at from context_services.services;
    insert into context_services.tasks (service_id, task_id, state_id, task_type, started_at)
      select service_id, '1', '0', '1', started_at from context_services.services;
    analyze context_services.services, context_services.states, context_services.tasks`)
  for (const table of ['services', 'states', 'tasks'] as const) {
    await presentView(pool, table, {
      extensions: `coalesce(r.raw_json::jsonb, r.raw_text::jsonb, r.extensions)`,
    })
  }
  return { url, pool }
}

const day = { from: '2014-07-22T00:00:00Z', to: '2014-07-23T00:00:00Z' } as const
const read = (url: string, content = true) =>
  readTexts(url, { ...day, events: 'started', state: 'any', content })

const spoil = (pool: pg.Pool, table: ReferenceTable, id: string, column: string, value: string) =>
  pool.query(`update context_services.real_${table} set ${column} = $2 where service_id = $1`, [
    id,
    value,
  ])

const unreadable = [
  ['a NUL', 'raw_json', '{"a": "x\\u0000"}', '22P05'],
  ['half a surrogate pair', 'raw_json', '{"a": "\\ud800"}', '22P02'],
  ['a surrogate pair the wrong way round', 'raw_json', '{"a": "\\udc00\\ud800"}', '22P02'],
  ['half a pair as a key', 'raw_json', '{"\\ud83d": 1}', '22P02'],
  ['a number beyond numeric', 'raw_json', '{"a": 1e200000}', '22003'],
  ['half a document', 'raw_text', '{"a": ', '22P02'],
  ['no JSON', 'raw_text', 'NaN', '22P02'],
  ['the empty text', 'raw_text', '', '22P02'],
  ['nesting without an end', 'raw_text', '['.repeat(1_000_000), '54001'],
] as const

describe('a value that a view cannot cast to jsonb', () => {
  it.each(unreadable)(
    'fails the export with the id of the service, for good: %s',
    async (_, column, value, sqlState) => {
      const { url, pool } = await setup()
      await spoil(pool, 'services', 'S1234', column, value)
      await expect(read(url)).rejects.toMatchObject({
        code: 'ENCODE_UNSUPPORTED_VALUE',
        retryable: false,
        message: expect.stringMatching(
          new RegExp(`^The service "S1234" cannot be exported: .*SQLSTATE ${sqlState}`),
        ) as string,
        hint: expect.stringContaining('Correct the service') as string,
      })
      // ids alone do not need it
      expect(await read(url, false)).toHaveLength(3000)
    },
  )

  it.each([
    ['states', 'S1'],
    ['states', 'S3000'],
    ['tasks', 'S1500'],
  ] as const)('names the service, too, when it is in %s: of %s', async (table, id) => {
    const { url, pool } = await setup()
    await spoil(pool, table, id, 'raw_json', '{"a": "\\u0000"}')
    await expect(read(url)).rejects.toMatchObject({
      message: expect.stringContaining(
        `The service "${id}" cannot be exported: the source database said: unsupported Unicode escape` +
          ` sequence: \\u0000 cannot be converted to text (SQLSTATE 22P05).`,
      ) as string,
    })
  })

  it('names the first one, in the order of the export', async () => {
    const { url, pool } = await setup()
    for (const id of ['S900', 'S20', 'S2999']) {
      await spoil(pool, 'services', id, 'raw_json', '{"a": "\\u0000"}')
    }
    await expect(read(url)).rejects.toThrow('"S20"')
  })

  it('names an id that is odd', async () => {
    const { url, pool } = await setup()
    const id = ` 'it"s\\ \n%s\u2028😀`
    await pool.query(
      `update context_services.real_services set service_id = $1, raw_text = '{' where service_id = 'S7'`,
      [id],
    )
    await expect(read(url)).rejects.toThrow(`The service ${JSON.stringify(id)} cannot be exported`)
  })

  it('is named even where the view makes the rows come sorted, and so fails before the first', async () => {
    const { url, pool } = await setup()
    await pool.query(`
      create or replace view context_services.services as
      select service_id, tenant_id, group_id, service_type, customer_id, contact_key, est_duration,
        disposition, disposition_desc, max(started_at) as started_at, started, completed_at, completed,
        coalesce(raw_text::jsonb, '{}') as extensions
      from context_services.real_services group by service_id`)
    await spoil(pool, 'services', 'S2500', 'raw_text', '{"a": "\\u0000"}')
    await expect(read(url)).rejects.toThrow('The service "S2500" cannot be exported')
  })

  it('says how to find the row when no row can be named: what selects them fails', async () => {
    const { url, pool } = await setup()
    await pool.query(`
      create or replace view context_services.services as
      select service_id, tenant_id, group_id, service_type, customer_id, contact_key, est_duration,
        disposition, disposition_desc, coalesce(raw_text::timestamptz, started_at) as started_at,
        started, completed_at, completed, extensions
      from context_services.real_services`)
    await spoil(pool, 'services', 'S2500', 'raw_text', '30 February')
    for (const content of [true, false]) {
      await expect(read(url, content)).rejects.toMatchObject({
        code: 'SOURCE_QUERY_FAILED',
        retryable: false,
        message: expect.stringContaining('"30 February"') as string,
        hint: expect.stringContaining('pg_input_is_valid') as string,
      })
    }
  })
})

describe('a value that a view casts to jsonb', () => {
  it.each([
    ['a number beyond double precision', '{"a": 1e400}', `1${'0'.repeat(400)}`],
    ['more digits than double precision', '{"a": 12345678901234567890.123456789}', null],
    ['zeroes behind the point', '{"a": 1.0, "b": 1, "c": 1.10}', null],
    ['an exponent', '{"a": 12e-3}', '0.012'],
    ['the last of equal keys', '{"a": 1, "a": 2}', '{"service_id": "S1", "service_type": "100"'],
    ['deep nesting', `{"a": ${'['.repeat(1000)}${']'.repeat(1000)}}`, null],
    ['a surrogate pair', '{"a": "\\ud83d\\ude00"}', '"😀"'],
    ['the empty key', '{"": {"": [""]}}', '"": {"": [""]}'],
  ])('is exported as jsonb has it: %s', async (_, value, part) => {
    const { url, pool } = await setup()
    await spoil(pool, 'services', 'S1', 'raw_json', value)
    const [text] = await read(url)
    const [kept] = (await pool.query<{ text: string }>(`select $1::jsonb::text as text`, [value]))
      .rows
    expect(text).toContain(kept!.text.slice(1, -1))
    if (part !== null) expect(text).toContain(part)
  })
})
