import { describe, expect, it } from 'vitest'
import { SpecError } from '../../src/errors.ts'
import { parseExportRequest, resolveSpec } from '../../src/export/spec.ts'

const now = new Date('2026-01-02T03:04:05.678Z')
const range = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T18:00:00Z' }
const resolve = (input: unknown) => resolveSpec(parseExportRequest(input), now)

function refusalOf(input: unknown): SpecError {
  try {
    resolve(input)
  } catch (error) {
    expect(error).toBeInstanceOf(SpecError)
    return error as SpecError
  }
  throw new TypeError('expected the request to be refused')
}

describe('a request', () => {
  it('gets every default, and ends now', () => {
    expect(resolve({ time_from: '2014-07-22T12:00:00Z' })).toEqual({
      dataset: 'services',
      range: { from: '2014-07-22T12:00:00.000Z', to: '2026-01-02T03:04:05.678Z' },
      filterEvents: 'any',
      exportContent: false,
      filterState: 'any',
      format: 'json',
      compression: 'none',
    })
  })

  it('keeps what it says', () => {
    const input = {
      dataset: 'services',
      time_from: '2014-07-22T14:00:00.000001+02:00',
      time_to: '2014-07-22T18:00:00Z',
      filter_events: 'completed',
      export_content: true,
      filter_state: 'inactive',
      format: 'ndjson',
      compression: 'gzip',
    }
    expect(resolve(input)).toEqual({
      dataset: 'services',
      range: { from: '2014-07-22T12:00:00.000001Z', to: '2014-07-22T18:00:00.000Z' },
      filterEvents: 'completed',
      exportContent: true,
      filterState: 'inactive',
      format: 'ndjson',
      compression: 'gzip',
    })
  })

  it.each([
    ['filter_state any without content', { ...range, filter_state: 'any' }],
    ['an end in the future', { ...range, time_to: '2999-01-01T00:00:00Z' }],
    [
      'a start in the future with an end',
      { time_from: '2998-01-01T00:00:00Z', time_to: '2999-01-01T00:00:00Z' },
    ],
    [
      'a range of one microsecond',
      { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T12:00:00.000001Z' },
    ],
    [
      'completed and active, which is always empty',
      { ...range, filter_events: 'completed', export_content: true, filter_state: 'active' },
    ],
  ])('is accepted with %s', (_title, input) => {
    expect(() => resolve(input)).not.toThrow()
  })
})

describe('a request that is refused', () => {
  it.each<readonly [string, unknown, readonly string[]]>([
    ['no start', {}, ['time_from: expected', 'got nothing']],
    ['a start that is null', { time_from: null }, ['time_from: expected', 'got null']],
    [
      'a start that is a number',
      { time_from: 1409644800000 },
      ['time_from: expected', 'got 1409644800000'],
    ],
    [
      'a start that is no time',
      { time_from: 'yesterday' },
      ['time_from: expected a date and time with an offset', 'got "yesterday"'],
    ],
    [
      'a start without an offset',
      { time_from: '2014-07-22T12:00:00' },
      ['time_from: expected', 'got "2014-07-22T12:00:00"', 'no offset'],
    ],
    [
      'an impossible start',
      { time_from: '2014-02-30T12:00:00Z' },
      ['time_from: expected', '"2014-02-30T12:00:00Z"', 'not a day of the calendar'],
    ],
    [
      'an unescaped plus',
      { time_from: '2014-07-22T12:00:00 02:00' },
      ['time_from: expected', '%2B'],
    ],
    [
      'an end that is no time',
      { ...range, time_to: 'tomorrow' },
      ['time_to: expected a date and time', 'got "tomorrow"'],
    ],
    ['an end that is null', { ...range, time_to: null }, ['time_to: expected', 'got null']],
    [
      'an empty range',
      { ...range, time_to: range.time_from },
      ['time_from: expected a time before time_to', '2014-07-22T12:00:00.000Z'],
    ],
    [
      'a reversed range',
      { time_from: range.time_to, time_to: range.time_from },
      ['time_from: expected a time before time_to', 'got "2014-07-22T18:00:00.000Z"'],
    ],
    [
      'the same moment in two zones',
      { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T14:00:00+02:00' },
      ['time_from: expected a time before time_to'],
    ],
    [
      'a start in the future without an end',
      { time_from: '2999-01-01T00:00:00Z' },
      ['time_from: expected a time before now', 'time_to is absent', 'got "2999'],
    ],
    [
      'unknown events',
      { ...range, filter_events: 'updated' },
      ['filter_events: expected one of "any", "started", "completed"', 'got "updated"'],
    ],
    [
      'events in upper case',
      { ...range, filter_events: 'ANY' },
      ['filter_events: expected one of', 'got "ANY"'],
    ],
    [
      'events that are null',
      { ...range, filter_events: null },
      ['filter_events: expected one of', 'got null'],
    ],
    [
      'an unknown state',
      { ...range, export_content: true, filter_state: 'open' },
      ['filter_state: expected one of "any", "active", "inactive"', 'got "open"'],
    ],
    [
      'a format that nobody knows',
      { ...range, format: 'csv' },
      ['format: expected one of "json", "ndjson"', 'got "csv"'],
    ],
    [
      'a compression that nobody knows',
      { ...range, compression: 'brotli' },
      ['compression: expected one of "none", "gzip", "zstd"', 'got "brotli"'],
    ],
    [
      'a boolean as text',
      { ...range, export_content: 'true' },
      ['export_content: expected a boolean', 'got "true"'],
    ],
    [
      'a boolean as a number',
      { ...range, export_content: 1 },
      ['export_content: expected a boolean', 'got 1'],
    ],
    [
      'an unknown parameter',
      { ...range, time_until: 'x' },
      ['time_until: unknown parameter, expected one of', 'time_to', 'filter_state'],
    ],
    ['a parameter of another case', { ...range, timeFrom: 'x' }, ['timeFrom: unknown parameter']],
    [
      'a state filter without content',
      { ...range, filter_state: 'active' },
      ['filter_state: expected "any" unless export_content is true', 'got "active"'],
    ],
    [
      'a state filter with content false',
      { ...range, export_content: false, filter_state: 'inactive' },
      ['filter_state: expected "any"', 'got "inactive"'],
    ],
    [
      'an unknown dataset',
      { ...range, dataset: 'calls' },
      ['dataset: expected one of "services"', 'got "calls"'],
    ],
    [
      'a dataset that is a number',
      { ...range, dataset: 7 },
      ['dataset: expected a string', 'got 7'],
    ],
    ['no body', undefined, ['the request: expected a JSON object', 'got nothing']],
    ['null', null, ['the request: expected a JSON object', 'got null']],
    ['a list', [], ['the request: expected a JSON object', 'got []']],
    ['text', 'time_from', ['the request: expected a JSON object', 'got "time_from"']],
  ])('names parameter, expectation and value: %s', (_title, input, parts) => {
    const { message } = refusalOf(input)
    for (const part of parts) expect(message).toContain(part)
  })

  it('names every problem at once', () => {
    const { message, code } = refusalOf({
      time_from: 'yesterday',
      time_to: 7,
      filter_events: 'none',
      export_content: 'yes',
      filter_state: 'open',
      colour: 'red',
      shape: 'round',
    })
    expect(code).toBe('SPEC_INVALID')
    for (const name of [
      'time_from',
      'time_to',
      'filter_events',
      'export_content',
      'filter_state',
      'colour',
      'shape',
    ]) {
      expect(message).toMatch(new RegExp(`(^|; |, )${name}[:,] `))
    }
  })

  it('names a wrong combination beside the other problems', () => {
    const { message } = refusalOf({ time_from: 'yesterday', filter_state: 'active' })
    expect(message).toContain('time_from: expected')
    expect(message).toContain('filter_state: expected "any" unless')
  })

  it('has a code of its own for an unknown dataset', () => {
    expect(refusalOf({ ...range, dataset: 'calls' }).code).toBe('SPEC_UNKNOWN_DATASET')
  })

  it('shortens what was got', () => {
    const { message } = refusalOf({ ...range, filter_events: 'x'.repeat(5000) })
    expect(message.length).toBeLessThan(300)
  })
})
