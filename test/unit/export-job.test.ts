import { describe, expect, it } from 'vitest'
import { exportJob } from '../../jobs/export.ts'

describe('the pause before another attempt of an export', () => {
  it('doubles from a second to a minute', () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 8].map((made) => exportJob.backoffMs(made, 0))
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
  })

  it('is by chance up to half as long', () => {
    expect(exportJob.backoffMs(3, 0.5)).toBe(3000)
    for (const made of [1, 2, 6, 7, 50, 1000, 5000]) {
      const longest = exportJob.backoffMs(made, 0)
      const shortest = exportJob.backoffMs(made, 0.999_999)
      expect(longest).toBeLessThanOrEqual(60_000)
      expect(shortest).toBeGreaterThanOrEqual(longest / 2)
      expect(shortest).toBeLessThan(longest)
      expect(Number.isInteger(shortest)).toBe(true)
    }
  })
})
