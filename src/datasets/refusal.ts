import { EncodeError } from '../errors.ts'

/**
 * How a statement says "this record holds a value that cannot be exported". A read-only query on
 * somebody else's database, possibly a standby, cannot create a function that raises; but a failed
 * cast raises too, and PostgreSQL quotes the text it could not cast, in every language of
 * `lc_messages`. So the text carries the facts.
 */
const marker = 'longhaul refuses '

/**
 * A SQL expression of type text that never has a value: evaluating it fails the statement.
 * @param kind what is refused, such as `service`
 * @param idSql SQL expressions whose values name the record, innermost first
 * @param problem what is wrong with it, in plain words
 */
export function refuse(kind: string, idSql: readonly string[], problem: string): string {
  const facts = [`'${kind}'`, `'${problem}'`, ...idSql].join(', ')
  return `('${marker}' || json_build_array(${facts})::text)::int::text`
}

/** The error that a message of the database stands for, if `refuse` made it. */
export function parseRefusal(message: string): EncodeError | undefined {
  const facts = factsIn(message)
  if (facts === undefined) return undefined
  const [kind, problem, ...ids] = facts
  const name = ids.map((id) => JSON.stringify(id)).join(' of service ')
  return new EncodeError(`The ${kind} ${name} cannot be exported: ${problem}.`, {
    hint: 'Correct that record in the source (or in the view that presents it), and request the export again.',
  })
}

function factsIn(message: string): readonly string[] | undefined {
  const start = message.indexOf(marker)
  if (start === -1) return undefined
  try {
    const text = message.slice(start + marker.length, message.lastIndexOf(']') + 1)
    return JSON.parse(text) as string[]
  } catch {
    // somebody's data happen to hold the marker
    return undefined
  }
}
