import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { migrate } from '../../src/postgres/migrate.ts'
import type { Resources } from '../../src/runtime/resources.ts'
import { createFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import type { Dice } from '../support/dice.ts'
import type { Findings } from './findings.ts'
import { serviceVariables, type Servers } from '../support/service-variables.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { createKillablePostgres } from '../support/killable-postgres.ts'
import { createServicePart, type ServicePart } from './service-part.ts'
import { fillSource } from './source-data.ts'
import { createKillableStore } from '../support/killable-store.ts'

/** Short, so that ten minutes hold many lost leases and stalls. */
const settings = {
  LEASE_SECONDS: '5',
  STALL_SECONDS: '4',
  SHUTDOWN_GRACE_SECONDS: '3',
  EXPORT_CONCURRENCY: '2',
  // faults come faster than anywhere: what counts is that the export completes between them
  EXPORT_MAX_FAILURES: '60',
  EXPORT_MAX_ATTEMPTS: '300',
}

const workerCount = 3

/** What is between Longhaul and each of its servers. */
export type ProxyName = 'control' | 'source' | 'store'

/** Two PostgreSQL clusters, a store, a server and workers: real processes, with a proxy before each of the first three. */
export interface System extends Servers {
  readonly proxies: Readonly<Record<ProxyName, FaultProxy>>
  readonly server: ServicePart
  readonly workers: readonly ServicePart[]
  /** Of the HTTP server. */
  readonly url: string
  /** What a process of Longhaul needs to reach the servers themselves, past the proxies. */
  readonly directly: Readonly<Record<string, string>>
  /** What nobody may read anywhere. */
  readonly secrets: readonly string[]
}

export async function startSystem(
  resources: Resources,
  { folder, dice, findings }: { folder: string; dice: Dice; findings: Findings },
): Promise<System> {
  const onDeath = (how: string) => findings.add('server-death', how)
  const place = async (name: ProxyName) => ({
    ...{ name, folder: join(folder, name), port: await lastingPort(dice), onDeath },
  })
  const control = await createKillablePostgres(resources, {
    ...(await place('control')),
    durable: true,
  })
  const source = await createKillablePostgres(resources, {
    ...(await place('source')),
    durable: false,
  })
  const store = await createKillableStore(resources, await place('store'))
  await Promise.all([migrate(control.url), fillSource(source)])

  const proxyBefore = async (target: string) =>
    createFaultProxy(target, (release) => resources.add(undefined, release), {
      port: await lastingPort(dice),
    })
  const proxies = {
    control: await proxyBefore(control.url),
    source: await proxyBefore(source.url),
    store: await proxyBefore(store.endpoint),
  }
  const port = await lastingPort(dice)
  const directly = {
    ...settings,
    ...serviceVariables({ control, source, store }),
    PORT: String(port),
  }
  const environment = {
    ...directly,
    DATABASE_URL: proxies.control.url,
    SOURCE_DATABASE_URL: proxies.source.url,
    S3_ENDPOINT: proxies.store.url,
  }
  const secrets = [control.password, source.password, store.secretAccessKey]
  const startService = (name: string, command: 'serve' | 'worker') => {
    const log = createWriteStream(join(folder, `${name}.log`), { mode: 0o600 })
    const pauseMs = () => dice.between(200, 2000)
    const options = { name, command, environment, log, secrets, findings, pauseMs }
    return createServicePart(resources, options)
  }
  return {
    ...{ control, source, store, proxies, directly, secrets },
    url: `http://127.0.0.1:${port}`,
    server: startService('server', 'serve'),
    workers: Array.from({ length: workerCount }, (_, n) =>
      startService(`worker-${n + 1}`, 'worker'),
    ),
  }
}
