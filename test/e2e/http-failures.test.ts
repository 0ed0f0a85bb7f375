import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/ask.ts'
import { createTestDatabase } from '../support/database.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { expectNothingLeaked, expectNoSecrets } from '../support/secrets.ts'
import { expectExport, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'
import { until } from '../support/until.ts'

/** Nothing passes by itself in a test. */
const once = { EXPORT_MAX_FAILURES: '1' }
const nowhere = '127.0.0.1:1'

const start = (environment: Readonly<Record<string, string>> = {}) =>
  startTestSystem(onTestFinished, { environment: { ...once, ...environment } })

/** Requests an export, and returns its error once it has failed. */
async function failure(system: TestSystem, besides: readonly string[] = []) {
  const { id } = expectExport(await post(system.url, '/exports', fixtureRange), 202)
  const view = await until(async () => {
    const answer = await ask(system.url, 'GET', `/exports/${id}`)
    expectNoSecrets(answer.text, besides)
    const seen = expectExport(answer, 200)
    expect(['queued', 'running', 'failed']).toContain(seen.state)
    return seen.state === 'failed' && seen
  })
  await expectNothingLeaked(system, besides)
  const logged = system.logLines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .find((event) => event['export_id'] === id && event['level'] === 'error')
  expect(logged?.['code']).toBe(view.error!.code)
  return view.error!
}

/** The source's URL with something changed. */
function sourceUrl(change: (url: URL) => void): string {
  const url = new URL(inject('stack').DATABASE_URL)
  change(url)
  return url.href
}

describe('the source database', () => {
  it('has no tables: the export names the relation, and says what makes them', async () => {
    const system = await start()
    await system.database.pool.query('drop schema context_services cascade')
    const { code, message, hint } = await failure(system)
    expect(code).toBe('SOURCE_QUERY_FAILED')
    expect(message).toContain('context_services.services')
    expect(hint).toContain('longhaul migrate --reference-schema')
  })

  it('has a view without one of the columns: the export names the column', async () => {
    const system = await start()
    await system.database.pool.query('alter table context_services.services rename started_at to s')
    const { code, message, hint } = await failure(system)
    expect(code).toBe('SOURCE_QUERY_FAILED')
    expect(message).toContain('started_at')
    expect(hint).toBeDefined()
  })

  it('refuses the password: the export says so, and where to look', async () => {
    const wrong = 'not-the-password-4711'
    const system = await start({
      SOURCE_DATABASE_URL: sourceUrl((url) => (url.password = wrong)),
    })
    const { code, message, hint, retryable } = await failure(system, [wrong])
    expect(message).toContain('password authentication failed')
    expect(message).toContain('source database')
    expect(hint).toMatch(/password.*URL|SOURCE_DATABASE_URL/)
    expect([code, retryable]).toEqual(['SOURCE_QUERY_FAILED', false])
  })

  it('does not exist: the export names it', async () => {
    const system = await start({
      SOURCE_DATABASE_URL: sourceUrl((url) => (url.pathname = '/no_such_database')),
    })
    const { message, hint } = await failure(system)
    expect(message).toContain('no_such_database')
    expect(hint).toBeDefined()
  })

  it('cannot be reached: the export says where it looked', async () => {
    const system = await start({ SOURCE_DATABASE_URL: sourceUrl((url) => (url.host = nowhere)) })
    const { code, message, hint, retryable } = await failure(system)
    expect([code, retryable]).toEqual(['SOURCE_UNAVAILABLE', true])
    expect(message).toContain(nowhere)
    expect(hint).toBeDefined()
  })
})

describe('the object store', () => {
  it('has no such bucket: the export names the bucket', async () => {
    const system = await start({ S3_BUCKET: 'no-such-bucket-here' })
    const { code, message, hint } = await failure(system)
    expect(code).toBe('STORE_NO_BUCKET')
    expect(message).toContain('no-such-bucket-here')
    expect(hint).toContain('S3_BUCKET')
  })

  it('refuses the secret key: the export says that the credentials are to be checked', async () => {
    const system = await start()
    const wrong = 'not-the-secret-key-4711'
    withVariables({ AWS_SECRET_ACCESS_KEY: wrong })
    const { code, message, hint } = await failure(system, [wrong])
    expect(code).toBe('STORE_DENIED')
    expect(message).toContain(system.bucket.settings.bucket)
    expect(hint).toContain('credentials')
  })

  it('has no credentials for us: the export names the variables', async () => {
    const system = await start()
    withVariables({
      AWS_ACCESS_KEY_ID: undefined,
      AWS_SECRET_ACCESS_KEY: undefined,
      AWS_EC2_METADATA_DISABLED: 'true',
    })
    const { code, hint } = await failure(system)
    expect(code).toBe('STORE_DENIED')
    expect(hint).toContain('AWS_ACCESS_KEY_ID')
  })

  it('cannot be reached: the export says where it looked', async () => {
    const system = await start({ S3_ENDPOINT: `http://${nowhere}` })
    const { code, message, hint, retryable } = await failure(system)
    expect([code, retryable]).toEqual(['STORE_UNAVAILABLE', true])
    expect(message).toContain(nowhere)
    expect(hint).toContain('S3_ENDPOINT')
  })
})

describe('the control database', () => {
  it('goes away: 503 and when to ask again, and all is well once it is back', async () => {
    const database = await createTestDatabase(onTestFinished)
    await insertFixtureServices(database.pool)
    const proxy = await createFaultProxy(database.url, onTestFinished)
    const system = await startTestSystem(onTestFinished, {
      environment: { DATABASE_URL: proxy.url },
    })
    const request = () => post(system.url, '/exports', fixtureRange)
    const { id } = expectExport(await request(), 202)
    await system.client.wait(id)

    await proxy.shut()
    for (const answer of [
      await request(),
      await ask(system.url, 'GET', '/exports'),
      await ask(system.url, 'GET', `/exports/${id}`),
      await ask(system.url, 'GET', '/archives'),
      await ask(system.url, 'GET', '/archives/services/2025-03-01'),
      await ask(system.url, 'POST', `/exports/${id}/cancel`),
      await ask(system.url, 'DELETE', `/exports/${id}`),
    ]) {
      const problem = expectProblem(answer, 503, 'SOURCE_UNAVAILABLE')
      expect(problem.detail).toContain('control database')
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expectNoSecrets(answer.text)
    }
    expect((await ask(system.url, 'GET', '/healthz')).status).toBe(200)
    expect((await database.pool.query('select id from longhaul.exports')).rows).toEqual([{ id }])

    await proxy.open()
    const again = expectExport(await until(() => accepted(request)), 202)
    expect((await system.client.wait(again.id)).state).toBe('completed')
    expectNoSecrets(system.logLines.join(''))
  })
})

/** The answer, once it is no longer 503. */
async function accepted(request: () => ReturnType<typeof post>) {
  const answer = await request()
  return answer.status !== 503 && answer
}

/** Sets variables of this process for as long as the test runs. */
function withVariables(variables: Readonly<Record<string, string | undefined>>): void {
  const before = Object.keys(variables).map((name) => [name, process.env[name]] as const)
  const set = (name: string, value: string | undefined) => {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
  for (const [name, value] of Object.entries(variables)) set(name, value)
  onTestFinished(() => {
    for (const [name, value] of before) set(name, value)
  })
}
