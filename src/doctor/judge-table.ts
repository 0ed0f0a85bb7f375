import { ok, problem, skipped, warning, type Verdict } from './finding.ts'
import type { TableFacts } from './ports.ts'

/** Pure. */
export function judgeTable({ name, kind, failure, user, hidesRows }: TableFacts): Verdict {
  if (kind === undefined) {
    return problem(
      `there is no ${name}`,
      'Create it, or a view of that name with the columns of the reference schema (README.md); `longhaul migrate --reference-schema` does where the source is the control database.',
    )
  }
  if (failure !== undefined) {
    // by its code: the words are in the language of the server
    const denied = failure.message.includes('(SQLSTATE 42501)')
    const schema = name.slice(0, name.indexOf('.'))
    return problem(
      `${name}: ${failure.message.replace(/\.$/, '')}`,
      denied
        ? `Run: grant usage on schema ${schema} to ${user}; grant select on ${name} to ${user};`
        : failure.hint,
    )
  }
  return hidesRows
    ? warning(
        `${name} has row security, which may hide rows from this user`,
        `Give ${user} a policy that shows all rows, or the attribute bypassrls, unless that is what you want.`,
      )
    : ok(`${name}, a ${kind}: all columns are there and can be read`)
}

/** Pure. */
export function judgeStatistics(tables: readonly TableFacts[]): readonly Verdict[] {
  const known = tables.filter(({ analyzed }) => analyzed !== undefined)
  const without = known.filter(({ analyzed }) => analyzed === false).map(({ name }) => name)
  if (without.length > 0) {
    return [
      warning(
        `the planner knows nothing of ${without.join(', ')}: it may read whole tables where an index would do`,
        `Run: analyze ${without.join(', ')};`,
      ),
    ]
  }
  return known.length === 0
    ? [skipped('there are no rows, or only views, or this user may not see')]
    : [ok('the planner has statistics of all tables that have rows')]
}
