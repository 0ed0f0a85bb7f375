import { describe, expect, it } from 'vitest'
import { countMissing } from '../../src/verify/count-missing.ts'
import { createDice } from '../support/dice.ts'

interface Sequence {
  readonly ids: AsyncIterable<string>
  isClosed(): boolean
}

function sequence(ids: readonly string[]): Sequence {
  let closed = false
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* generate() {
    try {
      yield* ids
    } finally {
      closed = true
    }
  }
  return { ids: generate(), isClosed: () => closed }
}

const count = (ids: readonly string[], others: readonly string[]) =>
  countMissing(sequence(ids).ids, sequence(others).ids)

describe('what one sequence has and another has not', () => {
  it.each<[string, readonly string[], readonly string[], number]>([
    ['nothing of nothing', [], [], 0],
    ['all of nothing', ['a', 'b'], [], 2],
    ['nothing of the same', ['a', 'b'], ['a', 'b'], 0],
    ['nothing where others came between', ['a', 'c'], ['0', 'a', 'b', 'c', 'd'], 0],
    ['nothing where the order changed', ['a', 'b', 'c'], ['c', 'a', 'x', 'b'], 0],
    ['what was taken out', ['a', 'b', 'c'], ['a', 'c', 'd'], 1],
  ])('%s', async (_title, ids, others, missing) => {
    expect(await count(ids, others)).toBe(missing)
  })

  it('is what sets say', async () => {
    const dice = createDice(7)
    for (let round = 0; round < 300; round++) {
      const roll = () =>
        [...new Set(Array.from({ length: dice.between(0, 20) }, () => dice.between(0, 25)))].map(
          String,
        )
      const [ids, others] = [roll(), roll()]
      const expected = ids.filter((id) => !others.includes(id)).length
      expect(await count(ids, others)).toBe(expected)
    }
  })

  it('closes both where one fails', async () => {
    const ids = sequence(['a', 'b', 'c', 'd'])
    // eslint-disable-next-line @typescript-eslint/require-await
    async function* failing() {
      yield 'a'
      throw new TypeError('broken')
    }
    await expect(countMissing(ids.ids, failing())).rejects.toThrow('broken')
    expect(ids.isClosed()).toBe(true)
  })
})
