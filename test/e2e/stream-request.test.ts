import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ask, type Answer } from '../support/ask.ts'
import { countTraces, runningQueries } from '../support/exports-table.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { openStream, readStream, streamPath, streamQuery } from '../support/read-stream.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { makeSourceSlow } from '../support/slow-source.ts'
import { expectExport, expectNoInsides } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

let system: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { worker: false })
  await insertFixtureServices(system.database.pool)
})

const get = (query: string, headers: Readonly<Record<string, string>> = {}) =>
  ask(system.url, 'GET', query === '' ? streamPath : `${streamPath}?${query}`, { headers })

/** The error of the original API, and nothing else. */
function expectFailure(answer: Answer, status: number, exception: string): string {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status })
  expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
  const body = answer.json as { message: string; exception: string }
  expect(body).toEqual({ message: expect.any(String) as string, exception })
  expectNoInsides(answer.text)
  return body.message
}

const from = 'time_from=2014-07-22T12:00:00.000Z'

describe('what is asked wrongly is refused with 400, before anything is read', () => {
  it.each([
    ['no time_from', '', 'time_from: expected a date and time'],
    ['an empty time_from', 'time_from=', 'got ""'],
    ['a bare date', 'time_from=2014-07-22', 'it has no time of day'],
    ['a time without an offset', 'time_from=2014-07-22T12:00:00', 'it has no offset'],
    ['a day that does not exist', 'time_from=2014-02-30T12:00:00Z', 'not a day of the calendar'],
    ['an unescaped +', 'time_from=2014-07-22T12:00:00+02:00', 'must be written %2B'],
    ['an empty range', `${from}&time_to=2014-07-22T12:00:00.000Z`, 'expected a time before'],
    ['a reversed range', `${from}&time_to=2014-07-21T12:00:00.000Z`, 'expected a time before'],
    ['an unknown event', `${from}&filter_events=opened`, 'filter_events: expected one of "any"'],
    ['an unknown state', `${from}&export_content=true&filter_state=open`, 'filter_state: expected'],
    ['another boolean', `${from}&export_content=TRUE`, 'export_content: expected true or false'],
    ['a numeric boolean', `${from}&export_content=1`, 'export_content: expected true or false'],
    ['an empty boolean', `${from}&export_content=`, 'export_content: expected true or false'],
    ['a name that JavaScript owns as boolean', `${from}&export_content=constructor`, 'got "constr'],
    ['another one', `${from}&export_content=__proto__`, 'got "__proto__"'],
    ['a parameter given twice', `${from}&${from}`, 'time_from: expected once, got it 2 times'],
    ['an unknown parameter', `${from}&limit=1`, 'limit: unknown parameter, expected one of time_'],
    ['an unknown one, twice', `${from}&limit=1&limit=2`, 'limit: unknown parameter'],
    ['a dataset, which this operation has not', `${from}&dataset=services`, 'dataset: unknown'],
    ['a state without content', `${from}&filter_state=active`, 'unless export_content is true'],
    ['a name that JavaScript owns', `${from}&__proto__=1`, '__proto__: unknown parameter'],
    ['another name that it owns', `${from}&toString=1&toString=2`, 'toString: unknown parameter'],
  ])('%s', async (_title, query, message) => {
    for (const headers of [{}, { prefer: 'respond-async' }]) {
      expect(expectFailure(await get(query, headers), 400, 'SpecError')).toContain(message)
    }
    const head = await ask(system.url, 'HEAD', `${streamPath}?${query}`)
    expect([head.status, head.text]).toEqual([400, ''])
    expect(await countTraces(system.database)).toEqual({ records: 0, jobs: 0 })
  })

  it.each(['ContactCenterId', 'GroupId'])('the header %s', async (name) => {
    const answer = await get(from, { [name]: '1' })
    expect(expectFailure(answer, 400, 'SpecError')).toContain(`${name}: expected no such header`)
  })

  it('names every problem at once', async () => {
    const message = expectFailure(await get('time_to=x&a=1&filter_events=y'), 400, 'SpecError')
    for (const part of ['time_from', 'time_to', 'a: unknown', 'filter_events']) {
      expect(message).toContain(part)
    }
  })
})

describe('what is asked rightly', () => {
  it('has the defaults of the documentation: ids, any event, any state, until now', async () => {
    const { body, headers } = await readStream(system.url, { time_from: '2014-07-22T12:00:00Z' })
    expect(body.toString()).toBe('["S7",\n"S1",\n"S4",\n"S2",\n"S8",\n"S9",\n"S3",\n"S6"]')
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'transfer-encoding': 'chunked',
    })
    expect(headers['content-encoding']).toBeUndefined()
  })

  it.each([
    ['gzip', true],
    ['deflate, gzip;q=0.5, br', true],
    ['GZIP', true],
    ['gzip, identity', true],
    ['identity;q=1, gzip;q=0.1', false],
    ['*', false],
    ['gzip;q=0', false],
    ['gzip; q=0.0, *', false],
    ['identity', false],
    ['br', false],
    ['', false],
  ])('is compressed for Accept-Encoding %j: %s', async (accept, zipped) => {
    const { headers } = await readStream(system.url, fixtureRange, { 'accept-encoding': accept })
    expect(headers['content-encoding']).toBe(zipped ? 'gzip' : undefined)
    expect(headers.vary).toBe('Accept-Encoding')
  })

  it('is understood as HEAD, which reads nothing', async () => {
    const answer = await ask(system.url, 'HEAD', streamQuery(fixtureRange))
    expect([answer.status, answer.text]).toEqual([200, ''])
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      vary: 'Accept-Encoding',
    })
    expect(answer.headers['content-length']).toBeUndefined()
  })
})

describe('around the route', () => {
  it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])('%s is 405 with Allow', async (method) => {
    const answer = await ask(system.url, method, streamPath)
    expect(expectFailure(answer, 405, 'SpecError')).toContain(method)
    expect(answer.headers.allow).toBe('GET, HEAD')
  })

  it('other operations of the original API are 404 in its own shape', async () => {
    const answer = await ask(system.url, 'GET', '/genesys/1/cs/services/1')
    expectFailure(answer, 404, 'NotFoundError')
  })

  it('a source that is not there is 503 in the same shape', async () => {
    const broken = await startTestSystem(onTestFinished, {
      worker: false,
      environment: { SOURCE_DATABASE_URL: 'postgres://nobody:hush-hush@127.0.0.1:1/none' },
    })
    const answer = await ask(broken.url, 'GET', `${streamPath}?${from}`)
    expectFailure(answer, 503, 'SourceError')
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    expect(answer.text + broken.logLines.join('')).not.toContain('hush-hush')
  })
})

describe('Prefer: respond-async', () => {
  it.each([
    'respond-async',
    'Respond-Async',
    'wait=10, respond-async',
    'respond-async=""',
    'respond-async; foo=1',
  ])('%s is answered with 202 and the export', async (prefer) => {
    const answer = await get(`${from}&export_content=true&filter_state=active`, { prefer })
    const view = expectExport(answer, 202)
    expect(answer.headers).toMatchObject({
      'preference-applied': 'respond-async',
      'content-location': `/exports/${view.id}`,
      location: `/exports/${view.id}`,
      'retry-after': expect.stringMatching(/^\d+$/) as string,
    })
    expect(view.request).toMatchObject({
      dataset: 'services',
      time_from: '2014-07-22T12:00:00.000Z',
      filter_state: 'active',
      export_content: true,
    })
    const again = expectExport(await ask(system.url, 'GET', `/exports/${view.id}`), 200)
    expect(again).toEqual(view)
  })

  it('is the same request as POST /exports to an idempotency key', async () => {
    const key = { 'idempotency-key': 'one-and-the-same' }
    const first = await get(from, { prefer: 'respond-async', ...key })
    const second = await ask(system.url, 'POST', '/exports', {
      headers: { 'content-type': 'application/json', ...key },
      body: JSON.stringify({ time_from: '2014-07-22T12:00:00.000Z' }),
    })
    expect(expectExport(second, 200).id).toBe(expectExport(first, 202).id)
  })

  it('that is something else is no wish for it', async () => {
    const answer = await get(from, { prefer: 'respond-async-not, return=minimal' })
    expect(answer.status).toBe(200)
    expect(answer.headers['preference-applied']).toBeUndefined()
  })
})

describe('more streams than STREAM_CONCURRENCY', () => {
  it('are refused with 503, Retry-After, and the advice to ask asynchronously', async () => {
    const small = await startTestSystem(onTestFinished, {
      worker: false,
      environment: { STREAM_CONCURRENCY: '2' },
    })
    await makeSourceSlow(small.database, { quick: 500, bytes: 2000 })
    const content = { ...fixtureRange, export_content: true }
    for (const response of [
      await openStream(small.url, content),
      await openStream(small.url, content),
    ]) {
      response.on('error', () => undefined).resume()
      onTestFinished(() => void response.destroy())
    }
    await until(async () => (await runningQueries(small.database)).length === 2)
    const refused = await ask(small.url, 'GET', streamQuery(content))
    expect(expectFailure(refused, 503, 'BusyError')).toContain('Prefer: respond-async')
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
    // asking asynchronously takes no place
    const headers = { prefer: 'respond-async' }
    expectExport(await ask(small.url, 'GET', streamQuery(content), { headers }), 202)
  })
})
