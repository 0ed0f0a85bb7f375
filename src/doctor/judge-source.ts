import { ok, warning, type Verdict } from './finding.ts'
import type { RoleFacts, StandbyFacts } from './ports.ts'

export interface SourceUse {
  /** How long an export may read, ms. */
  readonly maxMs: number
  /** Connections of one worker. */
  readonly connections: number
}

/** A standby that is so far behind shows old data, ms. */
const longLagMs = 60_000

/** Pure. */
export function judgeStandby(
  facts: StandbyFacts | undefined,
  { maxMs }: Pick<SourceUse, 'maxMs'>,
): readonly Verdict[] {
  if (facts === undefined) return [ok('it is a primary')]
  const { lagMs, feedback, delaySetting, delayMs } = facts
  const lag = `it is a standby, ${lagMs === undefined ? 'of unknown age' : `${seconds(lagMs)} s behind its primary`}`
  const verdicts = [
    lagMs !== undefined && lagMs > longLagMs
      ? warning(lag, 'See why replay is slow or stopped: exports do not have what came since.')
      : ok(lag),
  ]
  if (!feedback && delayMs >= 0 && delayMs < maxMs) {
    verdicts.push(
      warning(
        `hot_standby_feedback is off and ${delaySetting} is ${seconds(delayMs)} s: exports that take longer may be canceled, and begin anew`,
        `Set hot_standby_feedback = on or a larger ${delaySetting} on the standby.`,
      ),
    )
  }
  return verdicts
}

/** Pure. */
export function judgeRole(
  { name, connections }: RoleFacts,
  { connections: wanted }: Pick<SourceUse, 'connections'>,
): Verdict {
  const may = `the user ${name} may have ${connections} connections`
  return connections < wanted
    ? warning(
        `${may}, one worker wants up to ${wanted}`,
        'Allow more for the user, the database or the server, or set EXPORT_CONCURRENCY and EXPORT_READERS lower.',
      )
    : ok(`${may}; one worker wants up to ${wanted}`)
}

const seconds = (ms: number) => String(Math.round(ms / 100) / 10)
