import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { post } from '../support/ask.ts'
import { countTraces } from '../support/exports-table.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectExport, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { worker: false })
})

const request = (key: string | readonly string[], body: unknown = fixtureRange) =>
  post(system.url, '/exports', body, { 'idempotency-key': key })

/** How much `work` leaves behind. */
async function tracesOf(work: () => Promise<unknown>) {
  const before = await countTraces(system.database)
  await work()
  const after = await countTraces(system.database)
  return { records: after.records - before.records, jobs: after.jobs - before.jobs }
}

describe('Idempotency-Key', () => {
  it('gives the same export for the same request, with 202 and then 200', async () => {
    const key = randomUUID()
    const traces = await tracesOf(async () => {
      const first = expectExport(await request(key), 202)
      const answer = await request(key)
      expect(expectExport(answer, 200)).toStrictEqual(first)
      expect(answer.headers.location).toBe(`/exports/${first.id}`)
    })
    expect(traces).toEqual({ records: 1, jobs: 1 })
  })

  it('makes one export of twenty requests at once', async () => {
    const key = randomUUID()
    const traces = await tracesOf(async () => {
      const answers = await Promise.all(Array.from({ length: 20 }, () => request(key)))
      expect(answers.map((answer) => answer.status).sort()).toEqual([
        ...Array.from({ length: 19 }, () => 200),
        202,
      ])
      expect(new Set(answers.map((answer) => expectExport(answer, answer.status).id)).size).toBe(1)
    })
    expect(traces).toEqual({ records: 1, jobs: 1 })
  })

  it('makes one export of different requests at once, and refuses the others', async () => {
    const key = randomUUID()
    const traces = await tracesOf(async () => {
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, hour) =>
          request(key, { time_from: `2014-07-22T0${hour}:00:00Z` }),
        ),
      )
      expect(answers.filter((answer) => answer.status === 202)).toHaveLength(1)
      for (const answer of answers) {
        if (answer.status !== 202) expectProblem(answer, 422, 'IDEMPOTENCY_KEY_REUSED')
      }
    })
    expect(traces).toEqual({ records: 1, jobs: 1 })
  })

  it.each([
    ['another offset', { ...fixtureRange, time_from: '2014-07-22T14:00:00+02:00' }],
    ['another fraction', { ...fixtureRange, time_to: '2014-07-22T18:00:00.000000Z' }],
    [
      'its defaults spelt out',
      {
        filter_state: 'any',
        filter_events: 'any',
        export_content: false,
        dataset: 'services',
        ...fixtureRange,
      },
    ],
    ['its keys in another order', Object.fromEntries(Object.entries(fixtureRange).reverse())],
  ])('knows a request again that is written with %s', async (_what, body) => {
    const key = randomUUID()
    const { id } = expectExport(await request(key), 202)
    expect(expectExport(await request(key, body), 200).id).toBe(id)
  })

  it('knows a request without time_to again, and its range stays what it was', async () => {
    const key = randomUUID()
    const body = { time_from: fixtureRange.time_from }
    const first = expectExport(await request(key, body), 202)
    expect(expectExport(await request(key, body), 200).request).toEqual(first.request)
  })

  it.each([
    ['another range', { ...fixtureRange, time_to: '2014-07-22T18:00:00.000001Z' }],
    ['another filter', { ...fixtureRange, filter_events: 'started' }],
    ['content', { ...fixtureRange, export_content: true }],
    ['no time_to', { time_from: fixtureRange.time_from }],
  ])('refuses a key that was used, now with %s, naming the export', async (_what, body) => {
    const key = randomUUID()
    const { id } = expectExport(await request(key), 202)
    const traces = await tracesOf(async () => {
      const problem = expectProblem(await request(key, body), 422, 'IDEMPOTENCY_KEY_REUSED')
      expect(problem.detail).toContain(id)
      expect(problem.hint).toBeDefined()
    })
    expect(traces).toEqual({ records: 0, jobs: 0 })
  })

  it('gives the same export again after that was canceled', async () => {
    const key = randomUUID()
    const { id } = expectExport(await request(key), 202)
    await post(system.url, `/exports/${id}/cancel`, {})
    expect(expectExport(await request(key), 200)).toMatchObject({ id, state: 'canceled' })
  })

  it('tells keys apart by every character', async () => {
    const key = randomUUID()
    const ids = await Promise.all(
      [key, key.toUpperCase(), `${key}.`].map(
        async (each) => expectExport(await request(each), 202).id,
      ),
    )
    expect(new Set(ids).size).toBe(3)
  })

  it('may have 255 visible characters of ASCII', async () => {
    expectExport(await request('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'), 202)
    expectExport(await request('k'.repeat(255)), 202)
  })

  it.each([
    ['empty', ''],
    ['of 256 characters', 'k'.repeat(256)],
    ['of two words', 'two words'],
    ['not ASCII', 'schlüssel'],
    ['given twice', ['one', 'two']],
  ])('is refused when it is %s', async (_what, key) => {
    const traces = await tracesOf(async () => {
      const { detail } = expectProblem(await request(key), 400, 'SPEC_INVALID')
      expect(detail).toMatch(/Idempotency-Key: expected .*, got "/)
    })
    expect(traces).toEqual({ records: 0, jobs: 0 })
  })

  it('is not used up by a request that was refused', async () => {
    const key = randomUUID()
    expectProblem(await request(key, {}), 400)
    expectExport(await request(key), 202)
  })
})
