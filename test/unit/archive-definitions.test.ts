import { describe, expect, it } from 'vitest'
import { builtInDefinition, parseDefinitions } from '../../src/archive/definitions.ts'
import { keepForEver, parseKeep } from '../../src/runtime/keep-text.ts'

const defaults = { timeZone: 'Europe/Berlin', start: '2026-01-01', settleMinutes: 90 }
const parse = (...entries: readonly unknown[]) => parseDefinitions(entries, defaults)

const services = {
  name: 'services',
  calendar: { unit: 'day', timeZone: 'Europe/Berlin' },
  start: new Date('2025-12-31T23:00:00Z'),
  settleMs: 5_400_000,
  request: {
    ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
    ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
  },
  keep: keepForEver,
}

describe('the definitions of archives', () => {
  it('need a name each, and are else what the environment says', () => {
    expect(builtInDefinition(defaults)).toEqual(services)
    expect(parse({ name: 'services' })).toEqual({ definitions: [services], problems: [] })
    expect(
      parseDefinitions([{ name: 'a' }], { ...defaults, start: undefined }).definitions[0]?.start,
    ).toBeUndefined()
  })

  it('say otherwise each for itself', () => {
    const ids = {
      ...{ name: 'ids-by-hour', window: 'hour', time_zone: 'Africa/Cairo', start: '2025-04-25' },
      ...{ settle_minutes: 0, filter_events: 'started', export_content: false },
      keep: 'keep Daily 35, yearly 7',
      ...{ format: 'json', compression: 'none' },
    }
    const { definitions, problems } = parse({ name: 'services' }, ids)
    expect(problems).toEqual([])
    expect(definitions[1]).toEqual({
      name: 'ids-by-hour',
      calendar: { unit: 'hour', timeZone: 'Africa/Cairo' },
      start: new Date('2025-04-24T22:00:00Z'),
      settleMs: 0,
      request: {
        ...{ dataset: 'services', filter_events: 'started', filter_state: 'any' },
        ...{ export_content: false, format: 'json', compression: 'none' },
      },
      keep: parseKeep('daily 35, yearly 7'),
    })
  })

  it('are kept as the environment says, where they do not say it themselves', () => {
    const keep = {
      text: 'daily 2',
      forEver: false,
      clauses: [{ span: 'daily', count: 2 }],
    } as const
    const { definitions } = parseDefinitions([{ name: 'a' }, { name: 'b', keep: 'for ever' }], {
      ...{ ...defaults, keep },
    })
    expect(definitions.map((each) => each.keep.text)).toEqual(['daily 2', 'for ever'])
  })

  it.each([
    [{}, 'archive 1: name: '],
    [{ name: 'a/b' }, 'a/b: name: expected 1 to 63 letters, digits, - and _'],
    [{ name: '_manifests' }, '_manifests: name: expected'],
    [
      { name: 'a', window: 'week' },
      'a: window: expected one of "hour", "day", "month", got "week"',
    ],
    [{ name: 'a', time_zone: 'Berlin' }, 'a: time_zone: expected a time zone, such as UTC'],
    [{ name: 'a', start: '2025-02-30' }, 'a: start: expected a date, such as 2025-01-01'],
    [{ name: 'a', settle_minutes: -1 }, 'a: settle_minutes: expected at least 0, got -1'],
    [
      { name: 'a', filter_events: 'any' },
      'a: filter_events: expected one of "started", "completed"',
    ],
    [{ name: 'a', dataset: 'tasks' }, 'a: '],
    [{ name: 'a', compression: 'lzma' }, 'a: compression: expected one of'],
    [
      { name: 'a', export_content: false, filter_state: 'active' },
      'a: filter_state: expected "any"',
    ],
    [{ name: 'a', kept: 1 }, 'a: kept: unknown parameter, expected one of'],
    [{ name: 'a', keep: 35 }, 'a: keep: expected a string, got 35'],
    [{ name: 'a', keep: 'weekly 5' }, 'a: keep: expected what is kept, such as daily 35'],
    [
      { name: 'a', keep: 'daily 0' },
      'got "daily 0": daily 0 would delete everything, expected 1 or more',
    ],
    ['services', 'archive 1: '],
    [null, 'archive 1: '],
  ])('are refused where they are wrong: %o', (entry, expected) => {
    const { problems } = parse(entry)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(expected)
  })

  it('have names of their own', () => {
    expect(parse({ name: 'a' }, { name: 'b' }, { name: 'a' }).problems).toEqual([
      'a: expected a name of its own',
    ])
  })

  it.each([[{}], [[]], ['x'], [undefined]])('are an array: %o', (input) => {
    const { problems } = parseDefinitions(input, defaults)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain('expected a JSON array of at least one archive, got')
  })
})
