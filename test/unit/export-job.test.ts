import { describe, expect, it } from 'vitest'
import { exportJob } from '../../jobs/export.ts'

const pauseMs = (attemptsMade: number, random: number) => exportJob.backoffMs(attemptsMade, random)

describe('the pause before another attempt of an export', () => {
  it('grows from a second to two minutes', () => {
    const pauses = [1, 2, 3, 4, 5, 1000].map((made) => pauseMs(made, 0))
    expect(pauses).toEqual([1000, 5000, 25_000, 120_000, 120_000, 120_000])
  })

  it('is by chance up to a quarter shorter', () => {
    expect(pauseMs(3, 0.5)).toBe(21_875)
    for (const made of [1, 2, 6, 7, 50, 1000, 5000]) {
      const longest = pauseMs(made, 0)
      const shortest = pauseMs(made, 0.999_999)
      expect(longest).toBeLessThanOrEqual(120_000)
      expect(shortest).toBeGreaterThanOrEqual(longest * 0.75)
      expect(shortest).toBeLessThan(longest)
      expect(Number.isInteger(shortest)).toBe(true)
    }
  })

  it('leaves an outage of a minute and a half before the fifth failure, whatever chance says', () => {
    const shortest = [1, 2, 3, 4].map((made) => pauseMs(made, 0.999_999))
    expect(shortest.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(90_000)
  })
})
