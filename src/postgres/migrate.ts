import { readdir, readFile } from 'node:fs/promises'
import type pg from 'pg'
import type { MigrationFacts } from '../doctor/ports.ts'
import { ConfigError } from '../errors.ts'
import { translatePgError } from './pg-errors.ts'
import { connect, type Database, type Query } from './pool.ts'
import { assertServerVersion, serverVersionColumns, type ServerVersion } from './server-version.ts'

/** Any number that nobody else uses: serialises migrations of one database. "longhaul" in ASCII, cut to 32 bits. */
const advisoryLock = 0x6c6f6e67

const ledger = `
  create schema if not exists longhaul;
  create table if not exists longhaul.migrations (
    name text primary key,
    applied_at timestamptz not null default now()
  )`

export interface MigrateOptions {
  /** Also create the reference tables, schema context_services. */
  readonly referenceSchema?: boolean
}

/**
 * Brings the control database up to date. Safe to run twice and from several processes at once: the
 * second one waits, then finds nothing to do.
 * @returns the names of the migrations that were applied
 * @throws SourceError; ConfigError when PostgreSQL is too old, before anything is changed
 */
export async function migrate(
  databaseUrl: string,
  { referenceSchema = false }: MigrateOptions = {},
): Promise<readonly string[]> {
  const client = await connect(databaseUrl, 'control database')
  try {
    await assertVersion(client)
    // a session lock: each migration commits by itself, and the lock is held across all of them
    await client.query('select pg_advisory_lock($1)', [advisoryLock])
    await client.query(ledger)
    const done = await appliedMigrations(client)
    const applied = await applyFolder(client, 'migrations', done)
    return referenceSchema
      ? [...applied, ...(await applyFolder(client, 'reference-schema', done))]
      : applied
  } catch (error) {
    throw translatePgError(error, 'control database')
  } finally {
    await client.end()
  }
}

async function assertVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<ServerVersion>(`select ${serverVersionColumns}`)
  for (const row of rows) assertServerVersion(row)
}

async function appliedMigrations(client: pg.Client): Promise<ReadonlySet<string>> {
  const result = await client.query<{ name: string }>('select name from longhaul.migrations')
  return new Set(result.rows.map((row) => row.name))
}

async function applyFolder(
  client: pg.Client,
  folder: string,
  done: ReadonlySet<string>,
): Promise<readonly string[]> {
  const pending = (await migrationNames(folder)).filter((name) => !done.has(name))
  for (const name of pending) {
    const sql = await readFile(new URL(`${folder}/${name}.sql`, import.meta.url), 'utf8')
    await client.query('begin')
    await client.query(sql)
    await client.query('insert into longhaul.migrations (name) values ($1)', [name])
    await client.query('commit')
  }
  return pending
}

/** Numbered files, in order, without their ending. */
async function migrationNames(folder: string): Promise<readonly string[]> {
  const files = await readdir(new URL(`${folder}/`, import.meta.url))
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort()
}

/** Which migrations a control database has, and which of this version it lacks. @throws SourceError */
export async function readMigrations(query: Query): Promise<MigrationFacts> {
  const ledgers = await query<{ ledger: string | null }>(
    `select to_regclass('longhaul.migrations')::text as ledger`,
  )
  const exists = (ledgers.rows[0]?.ledger ?? null) !== null
  const { rows } = exists
    ? await query<{ name: string }>('select name from longhaul.migrations order by name')
    : { rows: [] }
  const applied = rows.map(({ name }) => name)
  const wanted = await migrationNames('migrations')
  const known = [...wanted, ...(await migrationNames('reference-schema'))]
  return {
    applied,
    missing: wanted.filter((name) => !applied.includes(name)),
    unknown: applied.filter((name) => !known.includes(name)),
  }
}

/**
 * Refuses to work on a control database that `longhaul migrate` has not brought up to date, or whose
 * PostgreSQL is too old.
 * @throws ConfigError, SourceError
 */
export async function assertMigrated({ query }: Pick<Database, 'query'>): Promise<void> {
  const { rows } = await query<ServerVersion>(`select ${serverVersionColumns}`)
  for (const row of rows) assertServerVersion(row)
  const { missing } = await readMigrations(query)
  if (missing.length === 0) return
  throw new ConfigError([
    `DATABASE_URL: the control database lacks the migrations ${missing.join(', ')}; run \`longhaul migrate\``,
  ])
}
