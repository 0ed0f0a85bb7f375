import { beforeAll, describe, expect, it } from 'vitest'
import { ask, post } from '../support/ask.ts'
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

const request = (body: unknown, headers = {}) => post(system.url, '/exports', body, headers)

describe('POST /exports, accepted', () => {
  it('answers 202 with the queued export, where it is, and when to ask again', async () => {
    const before = Date.now()
    const answer = await request(fixtureRange)
    const view = expectExport(answer, 202)
    expect(answer.headers.location).toBe(`/exports/${view.id}`)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expect(view).toStrictEqual({
      id: view.id,
      state: 'queued',
      request: {
        dataset: 'services',
        ...fixtureRange,
        filter_events: 'any',
        export_content: false,
        filter_state: 'any',
        format: 'json',
        compression: 'none',
      },
      progress: { rows: 0, bytes: 0 },
      attempt: 0,
      created_at: view.created_at,
      attempts: [],
    })
    expect(Date.parse(view.created_at)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(view.created_at)).toBeLessThanOrEqual(Date.now())
    const again = await ask(system.url, 'GET', answer.headers.location ?? '')
    expect(expectExport(again, 200)).toStrictEqual(view)
    expect(Number(again.headers['retry-after'])).toBeGreaterThan(0)
  })

  it('echoes every parameter as it was given', async () => {
    const given = {
      dataset: 'services',
      ...fixtureRange,
      filter_events: 'completed',
      export_content: true,
      filter_state: 'inactive',
      format: 'ndjson',
      compression: 'gzip',
    }
    expect(expectExport(await request(given), 202).request).toStrictEqual(given)
  })

  it('takes the moment of acceptance as time_to when there is none', async () => {
    const view = expectExport(await request({ time_from: fixtureRange.time_from }), 202)
    expect(view.request.time_to).toBe(view.created_at)
  })

  it.each([
    ['2014-07-22T12:00:00Z', '2014-07-22T12:00:00.000Z'],
    ['2014-07-22T12:00:00.5Z', '2014-07-22T12:00:00.500Z'],
    ['2014-07-22T14:00:00+02:00', '2014-07-22T12:00:00.000Z'],
    ['2014-07-22T06:30:00.000-05:30', '2014-07-22T12:00:00.000Z'],
    ['2014-07-23T00:30:00+12:30', '2014-07-22T12:00:00.000Z'],
    ['2014-07-22T12:00:00.123456Z', '2014-07-22T12:00:00.123456Z'],
    ['2014-07-22T12:00:00.123000Z', '2014-07-22T12:00:00.123Z'],
    ['2014-07-22T12:00:00.000001Z', '2014-07-22T12:00:00.000001Z'],
    ['2012-02-29T00:00:00Z', '2012-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('echoes %s as %s', async (given, canonical) => {
    const view = expectExport(await request({ time_from: given }), 202)
    expect(view.request.time_from).toBe(canonical)
  })

  it('keeps a range of one microsecond', async () => {
    const range = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T12:00:00.000001Z' }
    expect(expectExport(await request(range), 202).request).toMatchObject({
      time_from: '2014-07-22T12:00:00.000Z',
      time_to: '2014-07-22T12:00:00.000001Z',
    })
  })

  it('accepts a time_to in the future, and one at the end of the calendar', async () => {
    const time_to = '9999-12-31T23:59:59.999999Z'
    const view = expectExport(await request({ ...fixtureRange, time_to }), 202)
    expect(view.request.time_to).toBe(time_to)
  })

  it('accepts filter_state any without content, and completed with active', async () => {
    expectExport(await request({ ...fixtureRange, filter_state: 'any' }), 202)
    expectExport(
      await request({
        ...fixtureRange,
        filter_events: 'completed',
        filter_state: 'active',
        export_content: true,
      }),
      202,
    )
  })

  it('records and queues each accepted request once', async () => {
    const before = await countTraces(system.database)
    expectExport(await request(fixtureRange), 202)
    expect(await countTraces(system.database)).toEqual({
      records: before.records + 1,
      jobs: before.jobs + 1,
    })
  })
})

describe('tenancy headers', () => {
  it.each(['ContactCenterId', 'GroupId'])(
    'refuses %s until tenancy is built: never a silently wider set',
    async (name) => {
      const before = await countTraces(system.database)
      const problem = expectProblem(await request(fixtureRange, { [name]: '7' }), 400)
      expect(problem.detail).toMatch(new RegExp(name, 'i'))
      expect(await countTraces(system.database)).toEqual(before)
    },
  )
})
