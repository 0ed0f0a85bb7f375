import { describe, expect, it } from 'vitest'
import { sliceSpan, timeWithin } from '../../src/postgres/slice-span.ts'

const day = { from: '2014-07-22T00:00:00Z', to: '2014-07-23T00:00:00Z' }
/** A microsecond more than a millisecond. */
const tiny = { from: '2014-07-22T00:00:00.000500Z', to: '2014-07-22T00:00:00.001501Z' }

describe('a time within a span', () => {
  it.each([
    ['half of a day', day, 1 / 2, '2014-07-22T12:00:00.000Z'],
    ['its very beginning', day, 0, '2014-07-22T00:00:00.001Z'],
    ['the only millisecond in it', tiny, 1 / 2, undefined],
    [
      'a year of three digits',
      { from: '0999-12-31T00:00:00Z', to: '1000-01-01T00:00:00Z' },
      1 / 2,
      '0999-12-31T12:00:00.000Z',
    ],
  ])('is between its ends: %s', (_what, span, share, expected) => {
    expect(timeWithin(span, share)).toBe(expected)
  })

  it.each([
    { from: '2014-07-22T00:00:00Z', to: '2014-07-22T00:00:00.001Z' },
    { from: '2014-07-22T00:00:00.000001Z', to: '2014-07-22T00:00:00.000002Z' },
  ])('is none where no millisecond lies between', (span) => {
    expect(timeWithin(span, 1 / 2)).toBeUndefined()
  })
})

describe('slices', () => {
  it.each([1, 2, 7, 1000])('of a day cover it without a gap: %i of them', (count) => {
    const slices = sliceSpan(day, count)
    expect(slices).toHaveLength(count)
    expect(slices[0]!.from).toBe(day.from)
    expect(slices.at(-1)!.to).toBe(day.to)
    for (const [n, { from, to }] of slices.entries()) {
      expect(from < to).toBe(true)
      if (n > 0) expect(from).toBe(slices[n - 1]!.to)
    }
  })

  it('are no more than there are milliseconds', () => {
    const span = { from: '2014-07-22T00:00:00Z', to: '2014-07-22T00:00:00.003Z' }
    expect(sliceSpan(span, 100).map(({ to }) => to)).toEqual([
      '2014-07-22T00:00:00.001Z',
      '2014-07-22T00:00:00.002Z',
      span.to,
    ])
    expect(sliceSpan(tiny, 100)).toEqual([tiny])
  })
})
