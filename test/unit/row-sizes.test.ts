import { describe, expect, it } from 'vitest'
import { createRowSizes } from '../../src/postgres/row-sizes.ts'
import { anyQuery } from '../support/source-session.ts'

const [documents, ids] = [anyQuery('select document'), anyQuery('select id')]

describe('what rows have on average', () => {
  it('is known of each query by itself, as it was measured last', () => {
    const sizes = createRowSizes()
    expect(sizes.of(documents)).toBeUndefined()
    sizes.measured(documents, { rows: 100, bytes: 700_000 })
    sizes.measured(ids, { rows: 1000, bytes: 36_000 })
    expect([sizes.of(documents), sizes.of(ids)]).toEqual([7000, 36])
    sizes.measured({ ...documents, values: ['2026-01-01'] }, { rows: 100, bytes: 800_000 })
    expect(sizes.of(documents)).toBe(8000)
  })

  it('is not known by a few rows', () => {
    const sizes = createRowSizes()
    sizes.measured(documents, { rows: 49, bytes: 49 })
    expect(sizes.of(documents)).toBeUndefined()
  })

  it('is forgotten before it takes memory without end', () => {
    const sizes = createRowSizes()
    for (let n = 0; n <= 100; n++) sizes.measured(anyQuery(`${n}`), { rows: 50, bytes: 50 })
    expect([sizes.of(anyQuery('99')), sizes.of(anyQuery('100'))]).toEqual([undefined, 1])
  })
})
