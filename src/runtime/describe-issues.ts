import type { z } from 'zod'

/** A value as an error message shows it: JSON, shortened. */
export function got(value: unknown): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(value)
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

type Issue = z.core.$ZodIssue

export interface DescribeOptions {
  /** The names that exist, to list when an unknown one is used. */
  readonly known?: readonly string[]
  /** Names whose values are never shown. */
  readonly secret?: ReadonlySet<string>
}

/** Every problem of a failed parse, each naming the parameter, what was expected and what was got. */
export function describeIssues(
  error: z.ZodError,
  input: unknown,
  { known = [], secret = new Set() }: DescribeOptions = {},
): readonly string[] {
  return error.issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(
        (key) => `${key}: unknown parameter, expected one of ${known.join(', ')}`,
      )
    }
    const name = issue.path.join('.')
    if (issue.code === 'custom') return [`${name}: ${issue.message}`]
    const value = issue.path.reduce<unknown>((at, key) => property(at, key), input)
    const shown = secret.has(name) ? 'a value not shown here' : got(value)
    return [`${name === '' ? 'the request' : name}: expected ${expected(issue)}, got ${shown}`]
  })
}

const property = (value: unknown, key: PropertyKey): unknown =>
  typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined

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
