import { expect, describe, it, onTestFinished } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { assertMigrated, migrate } from '../../src/postgres/migrate.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { newestMajor, oldestMajor } from '../../src/postgres/server-version.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

/** The URL of a database for connections to which the server claims another version. */
async function claimVersion({ pool, url }: TestDatabase, version: string, number: number) {
  await pool.query(`
    create schema claim;
    create function claim.current_setting(name text) returns text language sql as $$
      select case name when 'server_version' then '${version}'
        when 'server_version_num' then '${number}' else pg_catalog.current_setting(name) end $$`)
  const claiming = new URL(url)
  // named, pg_catalog does not come first by itself
  claiming.searchParams.set('options', '-c search_path=claim,pg_catalog,public')
  return claiming.href
}

async function migrated(url: string): Promise<void> {
  const database = createPool(url, { role: 'control database' })
  onTestFinished(() => database.close())
  await assertMigrated(database)
}

describe('a control database of a PostgreSQL that is too old', () => {
  const refusal = new ConfigError([
    'DATABASE_URL: the control database is PostgreSQL 13.23 (Debian 13.23-1); 14 to 18 are supported',
  ])

  it('is refused by migrate, which then changes nothing', async () => {
    const database = await createTestDatabase(onTestFinished)
    await database.pool.query('drop schema longhaul cascade')
    const url = await claimVersion(database, '13.23 (Debian 13.23-1)', 130_023)
    await expect(migrate(url)).rejects.toThrow(refusal)
    const { rows } = await database.pool.query(`select to_regnamespace('longhaul')::text as made`)
    expect(rows).toEqual([{ made: null }])
  })

  it('is refused by all that works on it, migrated or not', async () => {
    const database = await createTestDatabase(onTestFinished)
    const url = await claimVersion(database, '13.23 (Debian 13.23-1)', 130_023)
    await expect(migrated(url)).rejects.toThrow(refusal)
    await database.pool.query('drop schema longhaul cascade')
    await expect(migrated(url)).rejects.toThrow(refusal)
  })
})

it.each([
  ['the oldest that is supported, in its first beta', '14beta1', oldestMajor * 10_000],
  ['newer than those that it was tested on', '19.1', (newestMajor + 1) * 10_000 + 1],
])('a PostgreSQL that is %s is not refused', async (_, version, number) => {
  const database = await createTestDatabase(onTestFinished)
  const url = await claimVersion(database, version, number)
  expect(await migrate(url)).toEqual([])
  await migrated(url)
})
