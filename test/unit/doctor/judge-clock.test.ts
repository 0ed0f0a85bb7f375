import { describe, expect, it } from 'vitest'
import { judgeClock, skewOf } from '../../../src/doctor/judge-clock.ts'

const tolerance = { toleratedMs: 1000, consequence: 'things go wrong' }
const reading = (askedAt: number, answeredAt: number, theirs: number) => ({
  ...{ askedAt, answeredAt, theirs },
})

describe('the difference of two clocks', () => {
  it('is that of the quickest reading', () => {
    const readings = [reading(0, 400, 900), reading(1000, 1010, 1505), reading(2000, 2100, 2000)]
    expect(skewOf(readings)).toEqual({ aheadMs: 500, withinMs: 5 })
    expect(skewOf([])).toBeUndefined()
  })

  it.each([
    ['ahead', 11_500, 'warning', '1.500 s ahead of'],
    ['behind', 8_500, 'warning', '1.500 s behind'],
    ['small', 10_900, 'ok', 'within 0.900 s'],
  ] as const)('is judged when it is %s', (_what, theirs, state, words) => {
    const verdict = judgeClock([reading(10_000, 10_000, theirs)], tolerance)
    expect(verdict).toMatchObject({ state, found: expect.stringContaining(words) as string })
    if (state === 'warning') expect(verdict.advice).toContain('things go wrong')
  })

  it('is nothing that the way of the answer may have made', () => {
    // three seconds there and back: the other clock may be right
    expect(judgeClock([reading(0, 3000, 0)], tolerance).state).toBe('ok')
    expect(judgeClock([reading(0, 3000, 10_000)], tolerance).state).toBe('warning')
  })

  it('allows for a time of whole seconds', () => {
    const readings = [reading(10_999, 10_999, 10_000)]
    const { state } = judgeClock(readings, { ...tolerance, toleratedMs: 0, coarseMs: 1000 })
    expect(state).toBe('ok')
    expect(judgeClock(readings, { ...tolerance, toleratedMs: 0 }).state).toBe('warning')
  })

  it('is unknown where the other does not tell', () => {
    expect(judgeClock([], tolerance)).toEqual({ state: 'ok', found: 'it does not tell its time' })
  })
})
