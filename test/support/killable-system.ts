import { join } from 'node:path'
import { expect } from 'vitest'
import { createClient, type Client } from '../../src/client/client.ts'
import { exposeToAwsSdk } from '../../src/config.ts'
import { migrate } from '../../src/postgres/migrate.ts'
import { createResources } from '../../src/runtime/resources.ts'
import { createDice } from './dice.ts'
import { createKillablePostgres, type KillablePostgres } from './killable-postgres.ts'
import { createKillableStore, type KillableStore } from './killable-store.ts'
import { lastingPort } from './lasting-port.ts'
import type { Release } from './release.ts'
import { createFolder, startCli, type RunningCli } from './run-cli.ts'
import { readStore, type StoreContents } from './store-contents.ts'

/** A whole installation of processes, each of which can be killed, and started again. */
export interface KillableSystem {
  readonly control: KillablePostgres
  readonly source: KillablePostgres
  readonly store: KillableStore
  readonly contents: StoreContents
  readonly client: Client
  startServer(): RunningCli
  startWorker(): RunningCli
}

/** Two PostgreSQL, control and source, and a store of its own; server and worker are yet to be started. */
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
  const control = await createKillablePostgres(resources, {
    ...(await place('control')),
    durable: true,
  })
  const source = await createKillablePostgres(resources, {
    ...(await place('source')),
    durable: true,
  })
  const store = await createKillableStore(resources, await place('store'))
  await migrate(control.url)
  await migrate(source.url, { referenceSchema: true })

  const port = await lastingPort(dice)
  const env = {
    DATABASE_URL: control.url,
    SOURCE_DATABASE_URL: source.url,
    S3_ENDPOINT: store.endpoint,
    S3_BUCKET: store.bucket,
    S3_REGION: store.region,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: store.accessKeyId,
    AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
    PORT: String(port),
    WORKER_PORT: '0',
    LEASE_SECONDS: '5',
  }
  return {
    ...{ control, source, store },
    contents: resources.add(readStore(store), (contents) => contents.close()),
    client: createClient({ url: `http://127.0.0.1:${port}` }),
    startServer: () => startCli(release, ['serve'], { env }),
    startWorker: () => startCli(release, ['worker'], { env }),
  }
}
