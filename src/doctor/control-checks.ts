import { databaseChecks } from './database-checks.ts'
import { ok, problem, warning, type Verdict } from './finding.ts'
import type { ControlInspection, MigrationFacts, ServerFacts } from './ports.ts'
import type { Check } from './run-checks.ts'

export const controlPart = 'control database'

const clock = {
  toleratedMs: 1000,
  consequence:
    'leases are by the clock of the database, the times of requests and expiry by those of servers and workers',
}

/** The control database: records, and the queue where there is no Redis. */
export const controlChecks = (
  inspection: ControlInspection,
  use: { readonly holdsQueue: boolean },
): readonly Check[] => [
  ...databaseChecks(controlPart, inspection, clock, (facts) => judgeControl(facts, use)),
  {
    ...{ part: controlPart, name: 'migrations', needs: ['connection'] },
    look: async (asking) => judgeMigrations(await inspection.migrations(asking)),
  },
  {
    ...{ part: controlPart, name: 'rights', needs: ['migrations'] },
    look: async (asking) => {
      const missing = await inspection.missingRights(asking)
      return missing.length === 0
        ? ok('records can be read and written')
        : problem(
            `this user lacks: ${missing.join(', ')}`,
            'Grant this user all rights on the schema longhaul.',
          )
    },
  },
]

/** Pure. */
export function judgeControl(
  { standby, readOnly, pooled }: ServerFacts,
  { holdsQueue }: { readonly holdsQueue: boolean },
): readonly Verdict[] {
  if (standby) {
    return [
      problem('it is a standby: nothing can be written', 'Let DATABASE_URL lead to the primary.'),
    ]
  }
  const verdicts: Verdict[] = []
  if (readOnly) {
    verdicts.push(
      problem(
        'transactions are read-only by default: nothing can be written',
        'Set default_transaction_read_only = off for this user, or let DATABASE_URL lead to another server.',
      ),
    )
  }
  if (pooled && holdsQueue) {
    verdicts.push(
      warning(
        'a pooler is between: the queue needs connections of its own to listen on',
        'Let DATABASE_URL lead to PostgreSQL itself or to a pooler in session mode, or set REDIS_URL.',
      ),
    )
  }
  return verdicts
}

/** Pure. */
export function judgeMigrations({ applied, missing, unknown }: MigrationFacts): Verdict {
  if (missing.length > 0) {
    return problem(`the migrations ${missing.join(', ')} are missing`, 'Run `longhaul migrate`.')
  }
  return unknown.length > 0
    ? warning(
        `a newer version of Longhaul was here: ${unknown.join(', ')}`,
        'Upgrade this Longhaul to that version.',
      )
    : ok(`up to date: ${applied.length} migrations`)
}
