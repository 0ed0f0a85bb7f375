import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import type { TestBucket } from '../support/bucket.ts'
import type { TestDatabase } from '../support/database.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { eventsOf, startCli, type RunningCli } from '../support/run-cli.ts'
import { expectNoSecrets } from '../support/secrets.ts'
import { createServiceSetup } from '../support/service-setup.ts'
import { until } from '../support/until.ts'

let database: TestDatabase
let bucket: TestBucket
let env: Readonly<Record<string, string>>

const release = releaseAfterAll()
beforeAll(async () => {
  ;({ database, bucket, env } = await createServiceSetup(release))
  await insertFixtureServices(database.pool)
})

const ready = (service: RunningCli, message: string) =>
  until(() => eventsOf(service).find((event) => event['msg'] === message))

const connections = async () => {
  const { rows } = await database.pool.query<{ application_name: string }>(
    `select application_name from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid()
       and application_name like 'longhaul%'`,
  )
  return rows.map((row) => row.application_name)
}

/** Puts a view in the place of the table whose first row takes a minute. */
async function hideServices(): Promise<void> {
  await database.pool.query('alter table context_services.services rename to all_services')
  await database.pool.query(
    `create view context_services.services as
     select * from context_services.all_services where pg_sleep(60)::text = ''`,
  )
}

async function showServices(): Promise<void> {
  // a killed worker's query may still be at work on the view
  await database.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'longhaul' and query like '%element%'`,
  )
  await database.pool.query('drop view context_services.services')
  await database.pool.query('alter table context_services.all_services rename to services')
}

describe('longhaul serve and longhaul worker, as processes', () => {
  it('take one export through, and stop on SIGTERM with 0, leaving no connection', async () => {
    const serve = startCli(onTestFinished, ['serve'], { env })
    const worker = startCli(onTestFinished, ['worker'], { env })
    const { url } = (await ready(serve, 'server ready')) as { url: string }
    await ready(worker, 'worker ready')

    const client = createClient({ url })
    const { id } = await client.request({ ...fixtureRange })
    const view = await client.wait(id)
    expect(view).toMatchObject({ state: 'completed', artifact: { rows: 5 } })
    expect(await (await fetch(view.artifact!.url)).json()).toEqual(['S7', 'S1', 'S4', 'S2', 'S3'])

    serve.signal('SIGTERM')
    worker.signal('SIGTERM')
    for (const { code, stdout, stderr } of await Promise.all([serve.ended, worker.ended])) {
      expect([code, stdout]).toEqual([0, ''])
      expectNoSecrets(stderr)
      expect(stderr).not.toContain('"level":"error"')
    }
    expect(await connections()).toEqual([])
  })

  it('stop on SIGINT, too', async () => {
    const serve = startCli(onTestFinished, ['serve'], { env })
    await ready(serve, 'server ready')
    serve.signal('SIGINT')
    expect((await serve.ended).code).toBe(0)
  })

  it('stop in time also when the control database has fallen silent', async () => {
    const proxy = await createFaultProxy(database.url, onTestFinished)
    const through = { ...env, DATABASE_URL: proxy.url, SOURCE_DATABASE_URL: database.url }
    const services = ['serve', 'worker'].map((command) =>
      startCli(onTestFinished, [command], {
        env: { ...through, SHUTDOWN_GRACE_SECONDS: '0' },
      }),
    )
    await ready(services[0]!, 'server ready')
    await ready(services[1]!, 'worker ready')
    proxy.strike({ then: 'stall', from: 'both' })
    const began = performance.now()
    for (const service of services) service.signal('SIGTERM')
    const codes = (await Promise.all(services.map(({ ended }) => ended))).map(({ code }) => code)
    // 15 s besides the grace
    expect(performance.now() - began).toBeLessThan(18_000)
    expect(codes).toEqual(codes.map((code) => (code === 130 ? 130 : 0)))
  })

  it('end at once on a second signal, though an export still has time to finish', async () => {
    const serve = startCli(onTestFinished, ['serve'], { env })
    const { url } = (await ready(serve, 'server ready')) as { url: string }
    await hideServices()
    onTestFinished(showServices)
    const worker = startCli(onTestFinished, ['worker'], {
      env: { ...env, SHUTDOWN_GRACE_SECONDS: '600' },
    })
    const client = createClient({ url })
    const { id } = await client.request({ ...fixtureRange })
    await until(async () => (await client.status(id)).progress.estimated_rows !== undefined)
    worker.signal('SIGTERM')
    await ready(worker, 'stopping')
    worker.signal('SIGTERM')
    expect((await worker.ended).code).toBe(143)
    await client.cancel(id)
  })

  it('hand a running export back on SIGTERM, and the next worker completes it', async () => {
    const serve = startCli(onTestFinished, ['serve'], { env })
    const { url } = (await ready(serve, 'server ready')) as { url: string }
    await hideServices()
    const worker = startCli(onTestFinished, ['worker'], {
      env: { ...env, SHUTDOWN_GRACE_SECONDS: '0' },
    })
    const client = createClient({ url })
    const { id } = await client.request({ ...fixtureRange })
    await until(async () => (await client.status(id)).progress.estimated_rows !== undefined)
    worker.signal('SIGTERM')
    expect((await worker.ended).code).toBe(0)
    expect((await client.status(id)).state).toBe('queued')
    expect(await bucket.openUploads()).toEqual([])

    await showServices()
    startCli(onTestFinished, ['worker'], { env })
    expect(await client.wait(id)).toMatchObject({
      state: 'completed',
      attempt: 2,
      artifact: { rows: 5 },
    })
  })
})
