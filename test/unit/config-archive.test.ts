import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import { latestLook } from '../../src/config/archive.ts'
import { keepForEver, parseKeep } from '../../src/runtime/keep-text.ts'

const least = { DATABASE_URL: 'postgres://longhaul@db/longhaul', S3_BUCKET: 'exports' }

describe('the configuration of the archive', () => {
  it('archives by a schedule only', () => {
    const defaults = {
      ...{ timeZone: 'UTC', start: undefined, settleMinutes: 120, file: undefined },
      keep: keepForEver,
    }
    expect(parseConfig(least).archive).toEqual({ ...defaults, pattern: undefined })
    expect(parseConfig({ ...least, ARCHIVE_SCHEDULE: 'hourly' }).archive).toEqual({
      ...{ ...defaults, pattern: '0 * * * *' },
    })
    const all = {
      ...{ ARCHIVE_SCHEDULE: '30 2 * * *', ARCHIVE_TIMEZONE: 'Africa/Cairo' },
      ...{ ARCHIVE_START: '2024-02-29', ARCHIVE_SETTLE_MINUTES: '0', ARCHIVES_FILE: 'a.json' },
      ARCHIVE_KEEP: 'keep daily 35, monthly 24',
    }
    expect(parseConfig({ ...least, ...all }).archive).toEqual({
      ...{ pattern: '30 2 * * *', timeZone: 'Africa/Cairo', start: '2024-02-29', settleMinutes: 0 },
      ...{ file: 'a.json', keep: parseKeep('daily 35, monthly 24') },
    })
  })

  it.each([
    ['ARCHIVE_SCHEDULE', 'nightly', 'expected hourly or a cron pattern, such as 30 2 * * *'],
    ['ARCHIVE_SCHEDULE', '61 2 * * *', 'got "61 2 * * *"'],
    [
      'ARCHIVE_TIMEZONE',
      'Berlin',
      'expected a time zone, such as UTC or Europe/Berlin, got "Berlin"',
    ],
    ['ARCHIVE_TIMEZONE', '+02:00', 'expected a time zone'],
    ['ARCHIVE_START', '2026-02-29', 'expected a date, such as 2025-01-01, got "2026-02-29"'],
    ['ARCHIVE_START', '2026-03-01T00:00:00Z', 'expected a date'],
    ['ARCHIVE_SETTLE_MINUTES', '-1', 'expected a whole number'],
    ['ARCHIVE_FILE', 'a.json', 'did you mean ARCHIVES_FILE?'],
    ['ARCHIVE_KEEP', 'daily 0', 'daily 0 would delete everything, expected 1 or more'],
    [
      'ARCHIVE_KEEP',
      '35 days',
      'expected what is kept, such as daily 35, monthly 24, yearly 7, or',
    ],
    ['ARCHIVE_SETTLE_MINUTE', '1', 'did you mean ARCHIVE_SETTLE_MINUTES?'],
  ])('names the variable and what was expected: %s=%s', (name, value, expected) => {
    const parse = () => parseConfig({ ...least, [name]: value })
    expect(parse).toThrow(new RegExp(`${name}: `))
    expect(parse).toThrow(expected)
  })

  it.each([
    ['0 * * * *', 'UTC', '2026-03-29T01:59:59.999Z', '2026-03-29T01:00:00.000Z'],
    ['0 * * * *', 'UTC', '2026-03-29T02:00:00.000Z', '2026-03-29T02:00:00.000Z'],
    ['* * * * * *', 'UTC', '2026-03-29T02:00:00.500Z', '2026-03-29T02:00:00.000Z'],
    // on Mondays, the last of which was in winter time
    ['30 2 * * 1', 'Europe/Berlin', '2026-03-30T00:29:59Z', '2026-03-23T01:30:00.000Z'],
    ['30 2 * * 1', 'Europe/Berlin', '2026-03-30T00:30:00Z', '2026-03-30T00:30:00.000Z'],
    ['0 0 1 1 *', 'UTC', '2026-03-30T00:30:00Z', '2026-01-01T00:00:00.000Z'],
    [undefined, 'UTC', '2026-03-30T00:30:00.017Z', '2026-03-30T00:30:00.017Z'],
  ])('knows when workers have looked last: %s, %s, by %s', (pattern, timeZone, by, expected) => {
    expect(latestLook({ pattern, timeZone }, new Date(by)).toISOString()).toBe(expected)
  })
})
