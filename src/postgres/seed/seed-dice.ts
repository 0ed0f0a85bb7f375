/** Random choices that are the same on every machine for the same seed. */
export interface Dice {
  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number
  /** True once in `count` throws. */
  oneIn(count: number): boolean
  pick<T>(choices: readonly [T, ...T[]]): T
}

/** The generator is mulberry32: 32 bits of state, integer arithmetic only. */
export function createDice(seed: number): Dice {
  let state = Math.trunc(seed / 2 ** 32) ^ seed
  const throwBits = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return (bits ^ (bits >>> 14)) >>> 0
  }
  const below = (end: number): number => throwBits() % end
  return {
    below,
    oneIn: (count) => below(count) === 0,
    pick: (choices) => choices[below(choices.length)] ?? choices[0],
  }
}
