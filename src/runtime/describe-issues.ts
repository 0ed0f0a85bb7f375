import type { z } from 'zod'

/** A value as an error message shows it: JSON, shortened. */
export function got(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function stringify(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    // thousands of levels overflow the stack of JSON.stringify
    return Array.isArray(value) ? 'an array' : 'an object'
  }
}

/** More unknown names than these are only counted. */
const shownUnknown = 10

type Issue = z.core.$ZodIssue

export interface DescribeOptions {
  /** The names that exist, to list when an unknown one is used. */
  readonly known?: readonly string[]
}

/** Every problem of a failed parse, each naming the parameter, what was expected and what was got. */
export function describeIssues(
  error: z.ZodError,
  input: unknown,
  { known = [] }: DescribeOptions = {},
): readonly string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      const names = issue.keys.slice(0, shownUnknown).map((key) => shorten(key))
      const more = issue.keys.length - names.length
      const all = more > 0 ? `${names.join(', ')} and ${more} more` : names.join(', ')
      return [`${all}: unknown parameter, expected one of ${known.join(', ')}`]
    }
    const name = issue.path.join('.')
    if (issue.code === 'custom') return [`${name}: ${issue.message}`]
    const value = issue.path.reduce<unknown>((at, key) => property(at, key), input)
    return [`${name === '' ? 'the request' : name}: ${expectation(issue)}, got ${got(value)}`]
  })
}

const property = (value: unknown, key: PropertyKey): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined

const shorten = (text: string) => (text.length > 40 ? `${text.slice(0, 39)}…` : text)

/** What a schema says itself, when it begins so; else what its type and limits say. */
const expectation = (issue: Issue) =>
  issue.message.startsWith('expected ') ? issue.message : `expected ${expected(issue)}`

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'object' ? 'a JSON object' : `a ${issue.expected}`
    case 'invalid_value':
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`
    case 'too_small':
      return `at least ${String(issue.minimum)}`
    case 'too_big':
      return `at most ${String(issue.maximum)}`
    default:
      return issue.message
  }
}
