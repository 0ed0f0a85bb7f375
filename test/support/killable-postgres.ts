import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { loadCredentials, openDataFolder } from '../../src/embedded/data-folder.ts'
import type { BinariesSource } from '../../src/embedded/postgres-binaries.ts'
import { startPostgres } from '../../src/embedded/postgres.ts'
import { removeStackData } from '../../src/embedded/remove-stack-data.ts'
import { acquireStackLock } from '../../src/embedded/stack-lock.ts'
import type { Resources } from '../../src/runtime/resources.ts'
import {
  createKillableServer,
  type KillableServer,
  type KillableServerOptions,
} from './killable-server.ts'

export interface KillablePostgres extends KillableServer {
  /** Of the real server, past any proxy. */
  readonly url: string
  readonly password: string
  /** On a connection of its own, which Longhaul is not known by. @throws the driver's error */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
}

export interface KillablePostgresOptions extends KillableServerOptions {
  /** What it has confirmed survives a kill. */
  readonly durable: boolean
  /** Default `any`. */
  readonly binaries?: BinariesSource
}

/** A PostgreSQL that can be killed, and started again with its data and on its port. */
export async function createKillablePostgres(
  resources: Resources,
  { name, folder, port, durable, binaries, onDeath }: KillablePostgresOptions,
): Promise<KillablePostgres> {
  const dataDir = resources.add(await openDataFolder(folder), removeStackData)
  const { postgresPassword: password } = await loadCredentials(dataDir)
  resources.add(await acquireStackLock(dataDir), (lock) => lock.release())
  const server = await createKillableServer(resources, { name, port, onDeath }, () =>
    startPostgres({
      dataDir,
      password,
      preferredPort: port,
      durable,
      binaries,
      log: () => undefined,
    }),
  )
  const url = `postgres://longhaul:${password}@127.0.0.1:${port}/longhaul`
  return {
    ...server,
    url,
    password,
    async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) {
      const client = new pg.Client({
        connectionString: url,
        application_name: 'test',
        connectionTimeoutMillis: 10_000,
      })
      client.on('error', () => undefined)
      try {
        await client.connect()
        return (await client.query<Row>(sql, values)).rows
      } finally {
        await Promise.race([client.end(), sleep(1000)])
      }
    },
  }
}
