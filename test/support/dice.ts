/** Chance that comes again: the same seed throws the same. */
export interface Dice {
  /** In [0, 1). */
  throw(): number
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number
  /** True in so many of a hundred cases. */
  percent(cases: number): boolean
  pick<T>(list: readonly T[]): T
  shuffle<T>(list: readonly T[]): T[]
  /** Dice of their own: what others throw meanwhile changes nothing for them. */
  fork(): Dice
}

/** Mulberry32: small, fast, and even enough to choose faults by. */
export function createDice(seed: number): Dice {
  let state = seed >>> 0
  const toss = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + Math.floor(toss() * (high - low + 1))
  return {
    throw: toss,
    between,
    percent: (cases) => toss() * 100 < cases,
    pick: (list) => list[between(0, list.length - 1)]!,
    shuffle(list) {
      const result = [...list]
      for (let last = result.length - 1; last > 0; last--) {
        const other = between(0, last)
        ;[result[last], result[other]] = [result[other]!, result[last]!]
      }
      return result
    },
    fork: () => createDice(between(0, 2 ** 32 - 1)),
  }
}
