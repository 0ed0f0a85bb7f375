import { beforeAll, describe, expect, it } from 'vitest'
import { post } from '../support/ask.ts'
import { countTraces } from '../support/exports-table.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { worker: false })
})

/** Posts what must be refused, and sees to it that nothing came of it. */
async function refused(body: unknown, code = 'SPEC_INVALID') {
  const problem = expectProblem(await post(system.url, '/exports', body), 400, code)
  expect(await countTraces(system.database)).toEqual({ records: 0, jobs: 0 })
  return problem
}

const { time_from, time_to } = fixtureRange

describe('POST /exports refuses, naming the parameter, what was expected and what was got', () => {
  it('a missing time_from', async () => {
    const { detail } = await refused({ time_to })
    expect(detail).toMatch(/time_from: expected .*, got nothing/)
  })

  it.each([
    ['no time at all', 'yesterday', ''],
    ['the empty string', '', ''],
    ['a bare date', '2014-07-22', 'time of day'],
    ['a time without an offset', '2014-07-22T12:00:00', 'offset'],
    ['a time with a fraction without an offset', '2014-07-22T12:00:00.000', 'offset'],
    ['no seconds', '2014-07-22T12:00Z', ''],
    ['a space for T', '2014-07-22 12:00:00Z', 'T'],
    ['a space for the + of an offset', '2014-07-22T12:00:00.000 02:00', '%2B'],
    ['an offset without a colon', '2014-07-22T12:00:00+0200', ''],
    ['lower-case letters', '2014-07-22t12:00:00z', ''],
    ['seven fraction digits', '2014-07-22T12:00:00.1234567Z', 'six'],
    ['a month 13', '2014-13-22T12:00:00Z', '2014-13-22'],
    ['a day 0', '2014-07-00T12:00:00Z', '2014-07-00'],
    ['30 February', '2014-02-30T12:00:00Z', '2014-02-30'],
    ['29 February of a common year', '2014-02-29T12:00:00Z', '2014-02-29'],
    ['29 February 1900', '1900-02-29T12:00:00Z', '1900-02-29'],
    ['hour 24', '2014-07-22T24:00:00Z', ''],
    ['minute 60', '2014-07-22T12:60:00Z', ''],
    ['a leap second', '2016-12-31T23:59:60Z', ''],
    ['an offset of 25 hours', '2014-07-22T12:00:00+25:00', ''],
    ['a year before 1', '0000-07-22T12:00:00Z', ''],
    ['a time before year 1 by its offset', '0001-01-01T00:00:00+01:00', ''],
    ['a five-digit year', '12014-07-22T12:00:00Z', ''],
    ['a trailing line feed', '2014-07-22T12:00:00Z\n', ''],
    ['other digits', '２０１４-07-22T12:00:00Z', ''],
    ['a NUL', '2014-07-22T12:00:00Z\u0000', ''],
    ['a text of 10,000 characters', 'x'.repeat(10_000), ''],
  ])('a time_from that is %s', async (_what, text, why) => {
    const { detail } = await refused({ time_from: text, time_to })
    expect(detail).toMatch(/^time_from: expected .*, got "/)
    expect(detail).toContain(JSON.stringify(text).slice(0, 60))
    expect(detail).toContain(why)
    expect(detail.length).toBeLessThan(600)
  })

  it.each([
    ['a number', 1406030400000],
    ['null', null],
    ['a boolean', true],
    ['an array', [time_from]],
    ['an object', { at: time_from }],
  ])('a time that is %s', async (_what, value) => {
    expect((await refused({ time_from: value })).detail).toMatch(/time_from: expected .*, got /)
    expect((await refused({ time_from, time_to: value })).detail).toContain('time_to: expected ')
  })

  it('a time_to that is impossible', async () => {
    const { detail } = await refused({ time_from, time_to: '2014-06-31T00:00:00Z' })
    expect(detail).toMatch(/^time_to: expected .*, got "2014-06-31T00:00:00Z"/)
  })

  it.each([
    ['equal', time_to, time_to],
    ['equal in another offset', '2014-07-22T20:00:00+02:00', time_to],
    ['reversed', time_to, time_from],
    ['reversed by a microsecond', '2014-07-22T12:00:00.000001Z', '2014-07-22T12:00:00Z'],
  ])('a range whose ends are %s', async (_what, from, to) => {
    const { detail } = await refused({ time_from: from, time_to: to })
    expect(detail).toContain('time_from: expected ')
    expect(detail).toContain('time_to')
  })

  it('a time_from in the future without time_to, as that is now', async () => {
    const { detail } = await refused({ time_from: '9000-01-01T00:00:00Z' })
    expect(detail).toMatch(/time_from: expected .*now.*, got "9000-01-01T00:00:00.000Z"/)
  })

  it.each([
    ['filter_events', 'updated', '"any", "started", "completed"'],
    ['filter_events', 'Started', '"any", "started", "completed"'],
    ['filter_events', '', '"any", "started", "completed"'],
    ['filter_events', null, '"any", "started", "completed"'],
    ['filter_events', ['any'], '"any", "started", "completed"'],
    ['filter_state', 'open', '"any", "active", "inactive"'],
    ['filter_state', true, '"any", "active", "inactive"'],
    ['format', 'csv', '"json", "ndjson"'],
    ['format', null, '"json", "ndjson"'],
    ['compression', 'GZIP', '"none", "gzip", "zstd"'],
    ['compression', true, '"none", "gzip", "zstd"'],
  ])('%s %j', async (name, value, expected) => {
    const { detail } = await refused({ ...fixtureRange, export_content: true, [name]: value })
    expect(detail).toBe(`${name}: expected one of ${expected}, got ${JSON.stringify(value)}.`)
  })

  it.each(['true', 'false', 'yes', '', 1, 0, null, []])('export_content %j', async (value) => {
    const { detail } = await refused({ ...fixtureRange, export_content: value })
    expect(detail).toBe(
      `export_content: expected a boolean, got ${JSON.stringify(value)}.`.replace(
        'a boolean',
        detail.includes('true or false') ? 'true or false' : 'a boolean',
      ),
    )
  })

  it.each(['active', 'inactive'])('filter_state %s without content', async (state) => {
    for (const content of [{}, { export_content: false }]) {
      const { detail } = await refused({ ...fixtureRange, filter_state: state, ...content })
      expect(detail).toContain('filter_state: expected ')
      expect(detail).toContain('export_content')
      expect(detail).toContain(`got "${state}"`)
    }
  })

  it.each(['time_form', 'timeFrom', 'limit', 'TIME_FROM', '', 'constructor', 'toString'])(
    'the unknown parameter %j',
    async (name) => {
      const { detail } = await refused({ ...fixtureRange, [name]: 'x' })
      expect(detail).toContain(`${name}: unknown parameter`)
      expect(detail).toContain('time_from')
    },
  )

  it.each(['', 'Services', 'states', 'constructor', '__proto__', '\u0000', '../services'])(
    'the unknown dataset %j',
    async (dataset) => {
      const { detail } = await refused({ ...fixtureRange, dataset }, 'SPEC_UNKNOWN_DATASET')
      expect(detail).toBe(`dataset: expected one of "services", got ${JSON.stringify(dataset)}.`)
    },
  )

  it('a dataset that is no string', async () => {
    const { detail } = await refused({ ...fixtureRange, dataset: 7 })
    expect(detail).toBe('dataset: expected a string, got 7.')
  })

  it('several at once, each named', async () => {
    const { detail } = await refused({
      time_to: '2014-07-22',
      filter_events: 'all',
      export_content: 'yes',
      filter_state: null,
      order: 'desc',
    })
    for (const name of [
      'time_from',
      'time_to',
      'filter_events',
      'export_content',
      'filter_state',
      'order',
    ]) {
      expect(detail).toContain(`${name}: `)
    }
  })
})
