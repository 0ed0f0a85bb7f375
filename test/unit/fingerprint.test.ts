import { describe, expect, it } from 'vitest'
import { fingerprint, parseExportRequest } from '../../src/export/spec.ts'

const range = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T18:00:00Z' }

describe('a fingerprint', () => {
  const print = (input: unknown) => fingerprint(parseExportRequest(input))

  it.each([
    ['another order', { time_to: range.time_to, time_from: range.time_from }],
    ['another offset', { ...range, time_from: '2014-07-22T14:00:00+02:00' }],
    ['another way to write the time', { ...range, time_from: '2014-07-22T12:00:00.000000Z' }],
    [
      'defaults that are spelt out',
      {
        ...range,
        dataset: 'services',
        filter_events: 'any',
        export_content: false,
        filter_state: 'any',
        format: 'json',
        compression: 'none',
      },
    ],
  ])('is the same for the same meaning: %s', (_title, input) => {
    expect(print(input)).toBe(print(range))
  })

  it.each([
    ['another start', { ...range, time_from: '2014-07-22T12:00:00.000001Z' }],
    ['no end', { time_from: range.time_from }],
    ['other events', { ...range, filter_events: 'started' }],
    ['format', { ...range, format: 'ndjson' }],
    ['compression', { ...range, compression: 'gzip' }],
    ['content', { ...range, export_content: true }],
    ['start and end that changed places', { time_from: range.time_to, time_to: range.time_from }],
  ])('differs for another meaning: %s', (_title, input) => {
    expect(print(input)).not.toBe(print(range))
  })
})
