import { InvalidArgumentError } from 'commander'

/** For commander: a whole number of at least 1. */
export function wholeNumber(text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value
  throw new InvalidArgumentError('Expected a whole number of at least 1.')
}
