import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { loadCredentials, openDataFolder } from '../../src/embedded/data-folder.ts'
import { startPostgres, type PostgresServer } from '../../src/embedded/postgres.ts'
import { waitUntilGone } from '../../src/embedded/processes.ts'
import { removeStackData } from '../../src/embedded/remove-stack-data.ts'
import { acquireStackLock } from '../../src/embedded/stack-lock.ts'
import type { Resources } from '../../src/runtime/resources.ts'
import type { Part } from './part.ts'

export interface PostgresPart extends Part {
  /** Of the real server, past any proxy. */
  readonly url: string
  readonly password: string
  /** On a connection of its own, which Longhaul is not known by. @throws the driver's error */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
}

export interface PostgresPartOptions {
  readonly name: string
  readonly folder: string
  readonly port: number
  /** What it has confirmed survives a kill. */
  readonly durable: boolean
  readonly onDeath: (how: string) => void
}

/** A PostgreSQL that can be killed, and started again with its data and on its port. */
export async function createPostgresPart(
  resources: Resources,
  { name, folder, port, durable, onDeath }: PostgresPartOptions,
): Promise<PostgresPart> {
  const dataDir = resources.add(await openDataFolder(folder), removeStackData)
  const { postgresPassword: password } = await loadCredentials(dataDir)
  resources.add(await acquireStackLock(dataDir), (lock) => lock.release())
  let server: PostgresServer | undefined

  async function start(): Promise<void> {
    const options = { dataDir, password, preferredPort: port, durable, log: () => undefined }
    const started = await startPostgres(options)
    if (started.port !== port) throw new TypeError(`${name}: port ${port} was taken`)
    server = started
    void started.failed.then(({ message }) => {
      if (server === started) onDeath(message)
    })
  }

  await start()
  resources.add(undefined, () => server?.stop())
  const url = `postgres://longhaul:${password}@127.0.0.1:${port}/longhaul`
  return {
    name,
    url,
    password,
    start,
    isUp: () => server !== undefined,
    async kill() {
      const killed = server
      server = undefined
      if (killed === undefined) return
      process.kill(killed.pid, 'SIGKILL')
      await waitUntilGone([killed.pid], 10_000)
      // its listener and its watch go with it
      await killed.stop()
    },
    async query<Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) {
      const client = new pg.Client({
        connectionString: url,
        application_name: 'torture',
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
