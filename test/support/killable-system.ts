import { join } from 'node:path'
import { expect, inject } from 'vitest'
import { createClient, type Client } from '../../src/client/client.ts'
import { exposeToAwsSdk } from '../../src/config.ts'
import { migrate } from '../../src/postgres/migrate.ts'
import { createResources } from '../../src/runtime/resources.ts'
import { createDice } from './dice.ts'
import { createKillablePostgres } from './killable-postgres.ts'
import { createKillableRedis } from './killable-redis.ts'
import { createKillableStore } from './killable-store.ts'
import { lastingPort } from './lasting-port.ts'
import type { Release } from './release.ts'
import { createFolder, startCli, type RunningCli } from './run-cli.ts'
import { serviceVariables, type Servers } from './service-variables.ts'
import { readStore, type StoreContents } from './store-contents.ts'

/** A whole installation of processes, each of which can be killed, and started again. */
export interface KillableSystem extends Servers {
  readonly contents: StoreContents
  readonly client: Client
  startServer(): RunningCli
  startWorker(): RunningCli
}

/** Two PostgreSQL, control and source, a store, and where the queue is on Redis one of those; server and worker are yet to be started. */
export async function startKillableSystem(release: Release): Promise<KillableSystem> {
  const folder = await createFolder(release)
  const resources = createResources()
  const deaths: string[] = []
  release(async () => {
    await resources.release()
    expect(deaths).toEqual([])
  })
  const dice = createDice(process.pid)
  // silences the warning of its next end of support
  exposeToAwsSdk({})
  const place = async (name: string) => ({
    ...{ name, folder: join(folder, name), port: await lastingPort(dice) },
    onDeath: (how: string) => void deaths.push(how),
  })
  const postgres = async (name: string) =>
    createKillablePostgres(resources, {
      ...(await place(name)),
      durable: true,
      binaries: inject('postgres'),
    })
  const control = await postgres('control')
  const source = await postgres('source')
  const store = await createKillableStore(resources, await place('store'))
  await migrate(control.url)
  await migrate(source.url, { referenceSchema: true })

  const queue =
    inject('queue').backend === 'redis'
      ? await createKillableRedis(resources, await place('queue'))
      : undefined

  const port = await lastingPort(dice)
  const servers = { control, source, store, queue }
  const env = { ...serviceVariables(servers), PORT: String(port), LEASE_SECONDS: '5' }
  return {
    ...servers,
    contents: resources.add(readStore(store), (contents) => contents.close()),
    client: createClient({ url: `http://127.0.0.1:${port}` }),
    startServer: () => startCli(release, ['serve'], { env }),
    startWorker: () => startCli(release, ['worker'], { env }),
  }
}
