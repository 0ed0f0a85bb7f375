import { describe, expect, it } from 'vitest'
import { GiB, MiB } from '../../src/runtime/units.ts'
import { isFarBeyond, maxParts, planParts } from '../../src/s3/part-size.ts'

const TiB = 1024 * GiB

describe('the part size', () => {
  it.each([
    [undefined, 8],
    [0, 8],
    [1, 8],
    [MiB, 8],
    [1 * GiB, 8],
    [39 * GiB, 8],
    [40 * GiB, 9],
    [100 * GiB, 21],
    [156 * GiB, 32],
    [157 * GiB, 32],
    [1 * TiB, 32],
    [5 * TiB, 32],
  ])('for %s expected bytes is %i MiB', (estimatedBytes, partMiB) => {
    expect(planParts(estimatedBytes).partBytes).toBe(partMiB * MiB)
  })

  it('keeps to what S3 allows, up to 5 TiB', () => {
    for (let estimated = 1; estimated <= 5 * TiB; estimated *= 1.7) {
      const { partBytes, maxBytes } = planParts(estimated)
      expect(partBytes).toBeGreaterThanOrEqual(5 * MiB)
      expect(partBytes).toBeLessThanOrEqual(32 * MiB)
      expect(Number.isInteger(partBytes / MiB)).toBe(true)
      expect(maxBytes / partBytes).toBe(maxParts)
    }
  })

  it('leaves room for twice the estimate, as far as memory allows', () => {
    const allowed = (32 * MiB * maxParts) / 2
    for (let estimated = 1; estimated <= allowed; estimated *= 1.3) {
      const { partBytes } = planParts(estimated)
      expect(Math.ceil((2 * estimated) / partBytes)).toBeLessThanOrEqual(maxParts)
    }
    expect(planParts(allowed).maxBytes).toBe(2 * allowed)
  })
})

describe('an estimate', () => {
  it.each([
    [undefined, false],
    [0, false],
    [1 * TiB, false],
    [3 * TiB, false],
    [3.1 * TiB, true],
    [100 * TiB, true],
  ])(
    'of %s bytes is beyond what can be stored even if it is ten times too large: %s',
    (estimated, far) => {
      expect(isFarBeyond(planParts(estimated), estimated)).toBe(far)
    },
  )
})
