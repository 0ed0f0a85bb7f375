/**
 * How long an archive is kept, as people write it: `daily 35, monthly 24, yearly 7`, or `for ever`. A word about text alone;
 * `archive/keep.ts` says what it keeps.
 */
import { got } from './describe-issues.ts'

/** The latest hours, days, months or years. */
export const keepSpans = ['hourly', 'daily', 'monthly', 'yearly'] as const
export type KeepSpan = (typeof keepSpans)[number]

export interface KeepClause {
  readonly span: KeepSpan
  /** How many of them, at least one. */
  readonly count: number
}

export interface KeepPolicy {
  /** The same text for what means the same: `daily 35, monthly 24`. */
  readonly text: string
  /** Everything is kept, whatever the clauses say. */
  readonly forEver: boolean
  readonly clauses: readonly KeepClause[]
}

export const keepForEver: KeepPolicy = Object.freeze({
  text: 'for ever',
  forEver: true,
  clauses: [],
})

const maxCount = 100_000
const expected =
  'expected what is kept, such as daily 35, monthly 24, yearly 7, or for ever, with hourly, daily, monthly and yearly once each'

/** A policy keeps one window at least: what would delete everything is none. @returns the policy, or what is wrong with the text */
export function parseKeep(text: string): KeepPolicy | { readonly problem: string } {
  const refuse = (why: string) => ({ problem: `${expected}, got ${got(text)}${why}` })
  const words = text.trim().toLowerCase().split(/\s+/).join(' ')
  const parts = words
    .replace(/^keep /, '')
    .split(',')
    .map((part) => part.trim())
  const clauses: KeepClause[] = []
  let forEver = false
  for (const part of parts) {
    if (part === 'for ever' || part === 'forever') {
      forEver = true
      continue
    }
    const [, name, count = ''] = /^([a-z]+) (-?\d+)$/.exec(part) ?? []
    const span = keepSpans.find((each) => each === name)
    if (span === undefined || clauses.some((each) => each.span === span)) {
      return refuse(words === '' ? ': it would delete everything' : '')
    }
    const value = Number(count)
    if (value < 1) return refuse(`: ${part} would delete everything, expected 1 or more`)
    if (value > maxCount) return refuse(`: expected at most ${maxCount}; for ever has no end`)
    clauses.push({ span, count: value })
  }
  const named = clauses.map(({ span, count }) => `${span} ${count}`)
  return { text: [...named, ...(forEver ? [keepForEver.text] : [])].join(', '), forEver, clauses }
}
