import { ok, problem, warning, type Verdict } from './finding.ts'
import { judgeClock, type ClockTolerance } from './judge-clock.ts'
import type { DatabaseInspection, ServerFacts } from './ports.ts'
import type { Check } from './run-checks.ts'

/** What is asked of either database first. */
export const databaseChecks = (
  part: string,
  inspection: DatabaseInspection,
  clock: ClockTolerance,
  judgeUse: (facts: ServerFacts) => readonly Verdict[],
): readonly Check[] => [
  {
    ...{ part, name: 'connection' },
    async look(asking) {
      const { place, tookMs } = await inspection.connect(asking)
      return ok(`${place} lets us in, within ${Math.ceil(tookMs)} ms`)
    },
  },
  {
    ...{ part, name: 'server', needs: ['connection'] },
    look: async (asking) => {
      const facts = await inspection.server(asking)
      return [judgeVersion(facts), ...judgeUse(facts)]
    },
  },
  {
    ...{ part, name: 'clock', needs: ['connection'] },
    look: async (asking) => judgeClock(await inspection.readClock(asking), clock),
  },
]

/** Pure. */
export function judgeVersion({ version, versionNumber, supported }: ServerFacts): Verdict {
  const { oldest, newest } = supported
  const major = Math.floor(versionNumber / 10_000)
  if (major < oldest) {
    return problem(`PostgreSQL ${version} is too old`, `Use PostgreSQL ${oldest} to ${newest}.`)
  }
  return major > newest
    ? warning(
        `PostgreSQL ${version} is newer than what this version of Longhaul is tested with`,
        `Use PostgreSQL ${oldest} to ${newest}, or try it out first.`,
      )
    : ok(`PostgreSQL ${version}`)
}
