import { describe, expect, it } from 'vitest'
import { compareInstants, instantOf, parseInstant } from '../../src/export/instant.ts'
import type { Instant } from '../../src/export/model.ts'

const parsed = (text: string) => {
  const result = parseInstant(text)
  return result.ok ? result.instant : result.problem
}

describe('an instant', () => {
  it.each([
    ['2014-09-02T08:00:00.000Z', '2014-09-02T08:00:00.000Z'],
    ['2014-09-02T08:00:00Z', '2014-09-02T08:00:00.000Z'],
    ['2014-09-02T08:00:00.5Z', '2014-09-02T08:00:00.500Z'],
    ['2014-09-02T08:00:00.123Z', '2014-09-02T08:00:00.123Z'],
    ['2014-09-02T08:00:00.1234Z', '2014-09-02T08:00:00.123400Z'],
    ['2014-09-02T08:00:00.123456Z', '2014-09-02T08:00:00.123456Z'],
    ['2014-09-02T08:00:00.123000Z', '2014-09-02T08:00:00.123Z'],
    ['2014-09-02T08:00:00.000001Z', '2014-09-02T08:00:00.000001Z'],
    ['2014-09-02T08:00:00.000000Z', '2014-09-02T08:00:00.000Z'],
    ['2014-09-02T10:00:00+02:00', '2014-09-02T08:00:00.000Z'],
    ['2014-09-02T08:00:00+00:00', '2014-09-02T08:00:00.000Z'],
    ['2014-09-02T08:00:00-00:00', '2014-09-02T08:00:00.000Z'],
    ['2014-09-02T02:30:00.250-05:30', '2014-09-02T08:00:00.250Z'],
    ['2014-09-01T23:00:00.000001-09:00', '2014-09-02T08:00:00.000001Z'],
    ['2015-01-01T00:30:00+01:00', '2014-12-31T23:30:00.000Z'],
    ['2012-02-29T00:00:00Z', '2012-02-29T00:00:00.000Z'],
    ['2000-02-29T23:59:59.999999Z', '2000-02-29T23:59:59.999999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['0099-01-01T00:00:00Z', '0099-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
  ])('reads %s as %s', (text, instant) => expect(parsed(text)).toBe(instant))

  it.each([
    ['2014-02-30T08:00:00Z', '2014-02-30 is not a day of the calendar'],
    ['2013-02-29T08:00:00Z', '2013-02-29 is not a day of the calendar'],
    ['1900-02-29T08:00:00Z', '1900-02-29 is not a day of the calendar'],
    ['2014-04-31T08:00:00Z', '2014-04-31 is not a day of the calendar'],
    ['2014-13-01T08:00:00Z', '2014-13-01 is not a day of the calendar'],
    ['2014-00-01T08:00:00Z', '2014-00-01 is not a day of the calendar'],
    ['2014-09-00T08:00:00Z', '2014-09-00 is not a day of the calendar'],
    ['2014-09-02T24:00:00Z', 'there is no such time of day'],
    ['2014-09-02T08:60:00Z', 'there is no such time of day'],
    ['2016-12-31T23:59:60Z', 'leap seconds are not kept'],
    ['2014-09-02T08:00:00+24:00', 'there is no such offset'],
    ['2014-09-02T08:00:00+02:60', 'there is no such offset'],
    ['0000-06-01T00:00:00Z', 'the years 1 to 9999'],
    ['0001-01-01T00:00:00+01:00', 'the years 1 to 9999'],
    ['9999-12-31T23:30:00-01:00', 'the years 1 to 9999'],
    ['2014-09-02T10:00:00 02:00', 'must be written %2B'],
    ['2014-09-02T10:00:00.000 02:00', 'must be written %2B'],
    ['2014-09-02', 'it has no time of day'],
    ['2014-09-02 08:00:00Z', 'must be joined by "T"'],
    ['2014-09-02T08:00:00', 'it has no offset from UTC'],
    ['2014-09-02T08:00:00.123', 'it has no offset from UTC'],
    ['2014-09-02T08:00:00.1234567Z', 'at most six fraction digits'],
    ['2014-09-02T08:00Z', 'it is not of that form'],
    ['2014-09-02T08:00:00+0200', 'it is not of that form'],
    ['2014-09-02T08:00:00.Z', 'it is not of that form'],
    ['2014-09-02t08:00:00z', 'it is not of that form'],
    [' 2014-09-02T08:00:00Z', 'it is not of that form'],
    ['2014-09-02T08:00:00Z\n', 'it is not of that form'],
    ['12014-09-02T08:00:00Z', 'it is not of that form'],
    ['1409644800000', 'it is not of that form'],
    ['now', 'it is not of that form'],
    ['', 'it is not of that form'],
  ])('refuses %j and says why', (text, problem) => {
    expect(parseInstant(text).ok).toBe(false)
    expect(parsed(text)).toContain(problem)
  })

  it.each([
    ['2014-09-02T08:00:00.000Z', '2014-09-02T08:00:00.000Z', 0],
    ['2014-09-02T08:00:00.000Z', '2014-09-02T08:00:00.000001Z', -1],
    ['2014-09-02T08:00:00.000999Z', '2014-09-02T08:00:00.001Z', -1],
    ['2014-09-02T08:00:00.001Z', '2014-09-02T08:00:00.000999Z', 1],
    ['0999-01-01T00:00:00.000Z', '2014-01-01T00:00:00.000Z', -1],
  ])('compares %s with %s as %i', (a, b, order) => {
    expect(Math.sign(compareInstants(a as Instant, b as Instant))).toBe(order)
  })

  it('is made of a Date with milliseconds', () => {
    const date = new Date('2026-01-02T03:04:05Z')
    expect(instantOf(date)).toBe('2026-01-02T03:04:05.000Z')
    expect(parsed(instantOf(date))).toBe(instantOf(date))
  })
})
