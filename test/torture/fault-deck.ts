import type { Dice } from '../support/dice.ts'
import type { FaultKind } from './faults.ts'

/**
 * So many faults, shuffled: of each kind as many as its share says, so that a run cannot lack one by
 * chance. What does not come out even goes to those that are closest to one more.
 */
export function buildDeck(kinds: readonly FaultKind[], count: number, dice: Dice): FaultKind[] {
  const sum = kinds.reduce((total, { share }) => total + share, 0)
  const dealt = kinds.map((kind) => {
    const exact = (kind.share / sum) * count
    return { kind, whole: Math.floor(exact), rest: exact - Math.floor(exact) }
  })
  const left = count - dealt.reduce((total, { whole }) => total + whole, 0)
  const next = dice
    .shuffle(dealt)
    .sort((a, b) => b.rest - a.rest)
    .slice(0, left)
  const deck = [
    ...dealt.flatMap(({ kind, whole }) => Array.from({ length: whole }, () => kind)),
    ...next.map(({ kind }) => kind),
  ]
  return dice.shuffle(deck)
}
