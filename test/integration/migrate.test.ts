import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { ConfigError, SourceError } from '../../src/errors.ts'
import { assertMigrated, migrate } from '../../src/postgres/migrate.ts'
import { createPool, type Database } from '../../src/postgres/pool.ts'

interface EmptyDatabase {
  readonly url: string
  readonly database: Database
  /** Everything of a schema: tables, columns and indexes. */
  readonly shapeOf: (schema: string) => Promise<readonly unknown[]>
}

/** A database with nothing in it, dropped when the test has finished. */
async function createEmptyDatabase(): Promise<EmptyDatabase> {
  const { DATABASE_URL } = inject('stack')
  const name = `empty_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: DATABASE_URL })
  await admin.connect()
  await admin.query(`create database ${name}`)
  const url = new URL(DATABASE_URL)
  url.pathname = `/${name}`
  const database = createPool(url.href, { role: 'control database' })
  onTestFinished(async () => {
    await database.close()
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  })
  const shapeOf = async (schema: string) => {
    const columns = await database.query(
      `select table_name, column_name, data_type, is_nullable, column_default
       from information_schema.columns where table_schema = $1 order by 1, 2`,
      [schema],
    )
    const indexes = await database.query(
      `select indexname, indexdef from pg_indexes where schemaname = $1 order by 1`,
      [schema],
    )
    return [...columns.rows, ...indexes.rows]
  }
  return { url: url.href, database, shapeOf }
}

describe('to migrate', () => {
  it('creates the schema on an empty database, and says what was done', async () => {
    const { url, database, shapeOf } = await createEmptyDatabase()
    const applied = await migrate(url)
    expect(applied[0]).toBe('0001_exports')
    expect(applied.every((name) => /^\d{4}_[a-z_]+$/.test(name))).toBe(true)
    await assertMigrated(database)
    expect(await shapeOf('context_services')).toEqual([])
  })

  it('creates the reference tables only when asked, also later', async () => {
    const { url, shapeOf } = await createEmptyDatabase()
    await migrate(url)
    const applied = await migrate(url, { referenceSchema: true })
    expect(applied).toEqual(['0001_context_services'])
    expect(await shapeOf('context_services')).not.toEqual([])
  })

  it('changes nothing the second time', async () => {
    const { url, database, shapeOf } = await createEmptyDatabase()
    await migrate(url, { referenceSchema: true })
    await database.query(
      `insert into longhaul.exports (id, dataset, range_from, range_to, filter_events,
         export_content, filter_state, fingerprint, created_at)
       values (gen_random_uuid(), 'services', '2014-01-01', '2014-01-02', 'any', false, 'any',
         'f', now())`,
    )
    const before = [await shapeOf('longhaul'), await shapeOf('context_services')]
    expect(await migrate(url, { referenceSchema: true })).toEqual([])
    expect([await shapeOf('longhaul'), await shapeOf('context_services')]).toEqual(before)
    expect((await database.query('select from longhaul.exports')).rowCount).toBe(1)
  })

  it('applies each migration once when four come at once', async () => {
    const { url, database } = await createEmptyDatabase()
    const all = await Promise.all(
      Array.from({ length: 4 }, () => migrate(url, { referenceSchema: true })),
    )
    const working = all.filter((applied) => applied.length > 0)
    expect(working).toHaveLength(1)
    const ledger = await database.query<{ name: string }>(
      'select name from longhaul.migrations order by name',
    )
    expect(ledger.rows.map(({ name }) => name)).toEqual([...working[0]!].sort())
    await assertMigrated(database)
  })

  it('leaves reference tables and rows that exist already as they are', async () => {
    const { url, database, shapeOf } = await createEmptyDatabase()
    await migrate(url, { referenceSchema: true })
    const expected = await shapeOf('context_services')
    await database.query('drop schema longhaul cascade')
    await database.query(
      `insert into context_services.services (service_id, service_type, started_at)
       values ('S1', '100', '2014-07-22')`,
    )

    const applied = await migrate(url, { referenceSchema: true })
    expect(applied).toContain('0001_context_services')
    expect(await shapeOf('context_services')).toEqual(expected)
    const kept = await database.query('select service_id from context_services.services')
    expect(kept.rows).toEqual([{ service_id: 'S1' }])
  })

  it('leaves an installation that has views of these names as it is', async () => {
    const { url, database } = await createEmptyDatabase()
    await database.query('create schema context_services')
    await database.query('create table public.calls (service_id text, started_at timestamptz)')
    for (const name of ['services', 'states', 'tasks']) {
      await database.query(`create view context_services.${name} as select * from public.calls`)
    }
    expect(await migrate(url)).not.toContain('0001_context_services')
    await assertMigrated(database)
  })

  it('leaves nothing half done when a statement fails', async () => {
    const { url, database, shapeOf } = await createEmptyDatabase()
    await database.query('create schema longhaul')
    // stands in the way of the last statement of the first migration
    await database.query('create table longhaul.exports_by_state (id integer)')
    const before = await shapeOf('longhaul')
    await expect(migrate(url)).rejects.toThrow(SourceError)
    const after = (await shapeOf('longhaul')).filter(
      (row) => !JSON.stringify(row).includes('migrations'),
    )
    expect(after).toEqual(before)
    await expect(assertMigrated(database)).rejects.toThrow(ConfigError)

    await database.query('drop table longhaul.exports_by_state')
    expect(await migrate(url)).toContain('0001_exports')
    await assertMigrated(database)
  })
})

describe('a migration whose entry in the ledger fails', () => {
  it('is taken back as a whole', async () => {
    const { url, database, shapeOf } = await createEmptyDatabase()
    await database.query('create schema longhaul')
    await database.query(
      `create table longhaul.migrations (
         name text primary key check (name <> '0001_exports'),
         applied_at timestamptz not null default now())`,
    )
    const before = await shapeOf('longhaul')
    await expect(migrate(url)).rejects.toThrow(SourceError)
    expect(await shapeOf('longhaul')).toEqual(before)
  })
})

describe('a control database that was not migrated', () => {
  it('is refused, with what is missing and what to do', async () => {
    const { database } = await createEmptyDatabase()
    const refused = assertMigrated(database)
    await expect(refused).rejects.toThrow(ConfigError)
    await expect(refused).rejects.toThrow(/DATABASE_URL/)
    await expect(refused).rejects.toThrow(/0001_exports/)
    await expect(refused).rejects.toThrow(/`longhaul migrate`/)
  })

  it('is refused when a single migration is missing', async () => {
    const { url, database } = await createEmptyDatabase()
    await migrate(url)
    await database.query(`delete from longhaul.migrations where name = '0001_exports'`)
    await expect(assertMigrated(database)).rejects.toThrow(/migrations? 0001_exports/)
  })

  it('is an error of the database, without its password, when it cannot be reached', async () => {
    const url = 'postgres://nobody:s3cret-pass@127.0.0.1:1/none'
    const failed: unknown = await migrate(url).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(SourceError)
    expect(failed).toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    expect(String(failed)).toContain('127.0.0.1:1')
    expect(JSON.stringify(failed) + String(failed)).not.toContain('s3cret-pass')
  })
})
