import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { testKeys } from '../support/api-keys.ts'
import { ask } from '../support/ask.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import {
  bytesOf,
  hostileBytes,
  hostileRequest,
  orderlyRequest,
  pipelineOf,
  type Known,
} from '../support/hostile-requests.ts'
import { metricValues } from '../support/metric-values.ts'
import { sendAndLeave, sendBytes, type RawAnswer } from '../support/raw-request.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectNothingLeaked } from '../support/secrets.ts'
import { expectExport } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const keys = testKeys({ anna: 'export', watch: 'read' })
const bearer = (name: string) => `Bearer ${keys.keyOf(name)}`

/** Sent at once, on a connection each; so many times. */
const atOnce = 20
const rounds = { requests: 400, bytes: 200, pipelines: 50, leavers: 50 }
/** For each of them; a server that is busy with the others may take some of it. */
const limitMs = 20_000
/** Lengths that were announced may be longer than what is sent. */
const patient = { limitMs, endAfterMs: 20 }

let system: TestSystem
let known: Known
const release = releaseAfterAll()
beforeAll(async () => {
  const environment = { ...keys.variables, REQUESTS_PER_SECOND: '0', STREAM_CONCURRENCY: '1000' }
  system = await startTestSystem(release, { environment, worker: false })
  await insertFixtureServices(system.database.pool)
  const requested = await ask(system.url, 'POST', '/exports', {
    headers: { authorization: bearer('anna'), 'content-type': 'application/json' },
    body: JSON.stringify(fixtureRange),
  })
  const basic = Buffer.from(`user:${keys.keyOf('anna')}`).toString('base64')
  known = {
    ids: [expectExport(requested, 202).id],
    authorizations: [bearer('anna'), bearer('watch'), `Basic ${basic}`, 'Bearer x', 'Basic %%%'],
  }
})

const countRecords = async () =>
  (await system.database.pool.query('select from longhaul.exports')).rowCount

/** Nothing that only those may know who wrote it, or run it. */
const telling = /node_modules|\/src\/|\/dist\/|file:\/\/|^\s+at .+:\d+:\d+/m

function expectHarmless({ text, status, headers, body }: RawAnswer): void {
  expect(text).not.toMatch(telling)
  for (const secret of keys.secrets) expect(text.includes(secret)).toBe(false)
  if (status === undefined) return
  // what /readyz says of a machine that is busy with all this; of any other the log would have an error
  if (status === 503) return
  expect(status).toBeLessThan(500)
  if (status < 400 || body === '') return
  const answer = JSON.parse(body) as Readonly<Record<string, unknown>>
  if (headers['content-type']?.startsWith('application/problem+json')) {
    expect(answer).toMatchObject({ status, code: expect.stringMatching(/^[A-Z_]+$/) as string })
  } else {
    expect(Object.keys(answer).sort()).toEqual(['exception', 'message'])
  }
}

/** Of the requests that were answered, in the order of their answers. */
const numbersIn = (text: string) =>
  [...text.matchAll(/^x-request-id: n-(\d+)\r$/gim)].map(([, number]) => Number(number))

/** As `fc.assert`, which says the seed and the smallest case that fails; it ends by itself. */
const holds = <T>(
  arbitrary: fc.Arbitrary<T>,
  numRuns: number,
  check: (all: T[]) => Promise<void>,
) =>
  fc.assert(
    fc.asyncProperty(fc.array(arbitrary, { minLength: atOnce, maxLength: atOnce }), check),
    { numRuns, interruptAfterTimeLimit: 90_000, markInterruptAsFailure: true },
  )

describe('whatever is sent', { timeout: 300_000 }, () => {
  it('as a request is answered in order, and tells nothing', async () => {
    await holds(hostileRequest(known), rounds.requests, async (requests) => {
      const sent = requests.map((each) => sendBytes(system.url, bytesOf(each), patient))
      for (const answer of await Promise.all(sent)) expectHarmless(answer)
    })
  })

  it('as bytes is answered or cut off, and tells nothing', async () => {
    await holds(hostileBytes(known), rounds.bytes, async (all) => {
      const sent = all.map((bytes) => sendBytes(system.url, bytes, patient))
      for (const answer of await Promise.all(sent)) expectHarmless(answer)
    })
  })

  it('on one connection is answered in its order, each request once', async () => {
    const several = fc.array(fc.oneof(orderlyRequest(known), hostileRequest(known)), {
      ...{ minLength: 2, maxLength: 6 },
    })
    await holds(several, rounds.pipelines, async (pipelines) => {
      const sent = pipelines.map((each) => sendBytes(system.url, pipelineOf(each), patient))
      for (const { text } of await Promise.all(sent)) {
        expect(text).not.toMatch(telling)
        expect(text).not.toMatch(/^HTTP\/1\.1 5(?!03)/m)
        const answered = numbersIn(text)
        expect(answered).toEqual([...new Set(answered)].sort())
      }
    })
  })

  it('on one connection in good order is answered whole', async () => {
    const several = fc.array(orderlyRequest(known), { minLength: 2, maxLength: 6 })
    await holds(several, rounds.pipelines, async (pipelines) => {
      const sent = pipelines.map((each) => sendBytes(system.url, pipelineOf(each), { limitMs }))
      const answers = await Promise.all(sent)
      answers.forEach(({ text }, number) => {
        expect(numbersIn(text)).toEqual([...pipelines[number]!.keys()])
      })
    })
  })

  it('may be left before it is answered', async () => {
    const leaver = fc.tuple(
      hostileRequest(known),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(30),
    )
    await holds(leaver, rounds.leavers, async (leavers) => {
      const sent = leavers.map(([request, share, afterMs]) => {
        const bytes = bytesOf(request)
        return sendAndLeave(system.url, bytes.subarray(0, Math.ceil(share * bytes.length)), afterMs)
      })
      await Promise.all(sent)
    })
    expect((await ask(system.url, 'GET', '/healthz')).status).toBe(200)
  })

  it('without a key makes no record', async () => {
    const before = await countRecords()
    await holds(
      hostileRequest({ ...known, authorizations: ['Bearer x', 'Basic eDp5'] }),
      20,
      async (requests) => {
        await Promise.all(requests.map((each) => sendBytes(system.url, bytesOf(each), patient)))
      },
    )
    expect(await countRecords()).toBe(before)
  })

  it('leaves nothing behind: no snapshot, no error in the log, no secret anywhere', async () => {
    expect((await ask(system.url, 'GET', '/healthz')).status).toBe(200)
    const headers = { authorization: bearer('watch') }
    await until(async () => {
      const { text } = await ask(system.url, 'GET', '/metrics', { headers })
      return metricValues(text)['longhaul_snapshots'] === 0
    })
    const errors = system.logLines.filter((line) => /"level":"(error|fatal)"/.test(line))
    expect(errors).toEqual([])
    await expectNothingLeaked(system, keys.secrets)
  })
})
