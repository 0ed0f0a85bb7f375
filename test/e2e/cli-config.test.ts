import { randomBytes } from 'node:crypto'
import net from 'node:net'
import { beforeAll, describe, expect, it } from 'vitest'
import type { TestDatabase } from '../support/database.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { errorOf, jsonOf, runCli } from '../support/run-cli.ts'
import { expectNoSecrets } from '../support/secrets.ts'
import { createServiceSetup } from '../support/service-setup.ts'

let database: TestDatabase
let env: Readonly<Record<string, string>>

const release = releaseAfterAll()
beforeAll(async () => {
  ;({ database, env } = await createServiceSetup(release))
})

const wrong = {
  DATABASE_URL: 'mysql://root:hush-hush@localhost/x',
  SOURCE_DATABASE_URL: 'hush-hush',
  PORT: 'eighty',
  S3_ENDPOINT: 'minio:9000',
  S3_FORCE_PATH_STYLE: 'yes',
  LEASE_SECONDS: '0',
  LINK_TTL_SECONDS: '604801',
  LOG_LEVEL: 'loud',
  EXPORT_CONCURENCY: '4',
}

describe.concurrent('a wrong configuration', () => {
  it.each(['serve', 'worker'])(
    'stops %s with 78, and lists every problem at once',
    async (name) => {
      const { code, stdout, stderr } = await runCli([name], { env: wrong })
      expect([code, stdout]).toEqual([78, ''])
      for (const variable of [...Object.keys(wrong), 'S3_BUCKET', 'EXPORT_CONCURRENCY']) {
        expect(stderr).toContain(variable)
      }
      for (const got of ['"eighty"', '"yes"', '"604801"', '"loud"']) expect(stderr).toContain(got)
      expect(stderr).not.toContain('hush-hush')
    },
  )

  it('stops migrate with 78, and lists what migrate needs', async () => {
    const { code, stderr } = await runCli(['migrate'], { env: wrong })
    expect(code).toBe(78)
    expect(stderr).toContain(' DATABASE_URL')
    expect(stderr).toContain('SOURCE_DATABASE_URL')
    expect(stderr).not.toContain('hush-hush')
  })

  it('is one JSON document with --json', async () => {
    const results = await Promise.all(
      ['serve', 'worker', 'migrate'].map((name) => runCli([name, '--json'])),
    )
    for (const result of results) {
      expect(result.code).toBe(78)
      expect(errorOf(result)).toMatchObject({ code: 'CONFIG_INVALID' })
      expect(errorOf(result).message).toMatch(/ DATABASE_URL: expected .*, got nothing/)
    }
  })

  it('does not call a webhook without signing, or in a private network', async () => {
    const { code, stderr } = await runCli(['worker'], {
      env: { ...env, ALERT_WEBHOOK_URL: 'http://127.0.0.1:9/hush-hush' },
    })
    expect(code).toBe(78)
    expect(stderr).toContain('ALERT_WEBHOOK_SECRET: expected at least')
    expect(stderr).toContain('ALERT_WEBHOOK_URL: expected an address that is public')
    expect(stderr).not.toContain('hush-hush')
  })

  it('does not serve the network without keys', async () => {
    const { code, stderr } = await runCli(['serve'], { env: { ...env, HOST: '0.0.0.0' } })
    expect(code).toBe(78)
    expect(stderr).toMatch(/HOST: expected .*127\.0\.0\.1/)
  })
})

describe.concurrent('what stops serve, worker and migrate before they start', () => {
  const away = 'postgres://u:hush-hush@127.0.0.1:1/x'

  it('a control database that cannot be reached: 20', async () => {
    const results = await Promise.all(
      ['serve', 'worker', 'migrate'].map((name) =>
        runCli([name], { env: { ...env, DATABASE_URL: away } }),
      ),
    )
    for (const { code, stderr } of results) {
      expect(code).toBe(20)
      expect(stderr).toContain('control database')
      expect(stderr).toContain('127.0.0.1:1')
      expect(stderr).not.toContain('hush-hush')
    }
  })

  it('a wrong password: 20, and where to look', async () => {
    const url = new URL(database.url)
    url.password = 'not-the-password-4711'
    const { code, stderr } = await runCli(['migrate'], { env: { ...env, DATABASE_URL: url.href } })
    expect(code).toBe(20)
    expect(stderr).toContain('password authentication failed')
    expect(stderr).toMatch(/password in the database URL|DATABASE_URL/)
    expectNoSecrets(stderr, ['not-the-password-4711'])
  })

  it('a port that is taken: a message that names it, not a bug to report', async ({
    onTestFinished,
  }) => {
    const other = net.createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void other.close())
    const port = String((other.address() as net.AddressInfo).port)
    const { code, stderr } = await runCli(['serve'], { env: { ...env, PORT: port } })
    expect(stderr).toContain(port)
    expect(stderr).toContain('PORT')
    expect(stderr).not.toContain('please report')
    expect([69, 70]).not.toContain(code)
    expect(code).not.toBe(0)
  })
})

describe('migrate', () => {
  it('is needed first, is done once, and may be run again and at the same time', async () => {
    await database.pool.query('drop schema longhaul, context_services cascade')
    const [serve, worker] = await Promise.all(['serve', 'worker'].map((n) => runCli([n], { env })))
    for (const { code, stderr } of [serve!, worker!]) {
      expect(code).toBe(78)
      expect(stderr).toContain('longhaul migrate')
    }

    const together = await Promise.all([1, 2].map(() => runCli(['migrate', '--json'], { env })))
    expect(together.map(({ code }) => code)).toEqual([0, 0])
    const applied = together.map((result) => (jsonOf(result) as { applied: string[] }).applied)
    expect(applied.map((names) => names.length > 0).sort()).toEqual([false, true])

    const reference = await runCli(['migrate', '--reference-schema'], { env })
    expect([reference.code, reference.stderr]).toEqual([0, ''])
    expect(reference.stdout).toContain('Applied ')
    const again = await runCli(['migrate', '--reference-schema'], { env })
    expect(again).toEqual({ code: 0, stdout: 'Nothing to do.\n', stderr: '' })
    const { rows } = await database.pool.query(
      `select to_regclass('longhaul.exports') is not null as control,
              to_regclass('context_services.services') is not null as source`,
    )
    expect(rows).toEqual([{ control: true, source: true }])
  })

  it('creates the bucket, too, when it is asked to', async () => {
    const bucket = `new-${randomBytes(6).toString('hex')}`
    const withBucket = { ...env, S3_BUCKET: bucket }
    const run = (...options: readonly string[]) =>
      runCli(['migrate', '--create-bucket', ...options], { env: withBucket })
    const { code, stdout } = await run()
    expect([code, stdout]).toEqual([0, `Created the bucket ${bucket}.\n`])
    expect(await run()).toMatchObject({ code: 0, stdout: 'Nothing to do.\n' })
    expect(jsonOf(await run('--json'))).toEqual({
      applied: [],
      bucket: { name: bucket, state: 'was there' },
    })
  })

  it('says what is wrong with databases and store together, or with the store alone', async () => {
    const refused = await runCli(['migrate', '--create-bucket'], { env: wrong })
    expect(refused.code).toBe(78)
    for (const name of [' DATABASE_URL', 'S3_BUCKET', 'S3_ENDPOINT']) {
      expect(refused.stderr).toContain(name)
    }
    const away = await runCli(['migrate', '--create-bucket', '--json'], {
      env: { ...env, S3_ENDPOINT: 'http://127.0.0.1:1' },
    })
    expect(away.code).toBe(22)
    expect(errorOf(away)).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })
})
