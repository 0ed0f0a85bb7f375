import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { migrate } from '../../src/postgres/migrate.ts'
import type { Release } from './release.ts'

export interface TestDatabase {
  readonly url: string
  readonly pool: pg.Pool
}

/** Any number that nobody else uses: one process at a time makes and copies the template. */
const templateLock = 0x7465_6d70

/**
 * A fresh database with Longhaul's schema and, unless told otherwise, the reference tables. Cloned
 * from a template that is migrated once a run; dropped when released.
 */
export async function createTestDatabase(
  release: Release,
  { reference = true }: { readonly reference?: boolean } = {},
): Promise<TestDatabase> {
  const { DATABASE_URL } = inject('stack')
  const name = `test_${randomBytes(6).toString('hex')}`
  await withClient(DATABASE_URL, async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [templateLock])
    const template = reference ? 'template_reference' : 'template_plain'
    const { rowCount } = await admin.query('select 1 from pg_database where datname = $1', [
      template,
    ])
    if (rowCount === 0) {
      await admin.query(`create database ${template}_new`)
      await migrate(urlOf(DATABASE_URL, `${template}_new`), { referenceSchema: reference })
      await admin.query(`alter database ${template}_new rename to ${template}`)
    }
    await admin.query(`create database ${name} template ${template}`)
  })

  const url = urlOf(DATABASE_URL, name)
  const pool = new pg.Pool({ connectionString: url, max: 4 })
  pool.on('error', () => undefined)
  release(async () => {
    await pool.end()
    await withClient(DATABASE_URL, (admin) => admin.query(`drop database ${name} with (force)`))
  })
  return { url, pool }
}

async function withClient(
  url: string,
  work: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

function urlOf(databaseUrl: string, name: string): string {
  const url = new URL(databaseUrl)
  url.pathname = `/${name}`
  return url.href
}
