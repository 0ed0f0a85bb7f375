import type { ArchiveReport } from '../src/archive/archive-windows.ts'
import type { NightlyPruneReport } from '../src/archive/prune-nightly.ts'
import type { ScheduledJobDefinition } from '../src/queue/job-definition.ts'

/** Archives what is due, of all archives, and deletes what is kept no longer. */
export type Archive = (options: {
  readonly signal: AbortSignal
}) => Promise<ArchiveReport & NightlyPruneReport>

/** When the archives are looked at; which windows are due then follows from the calendar alone. */
export const nightlyArchiveJob = (
  schedule: ScheduledJobDefinition<Archive>['schedule'],
): ScheduledJobDefinition<Archive> => ({
  name: 'longhaul-archive',
  schedule,

  /** Never asked for: the next run of the schedule is the retry. */
  backoffMs: () => 0,

  async run(archive, _payload, options) {
    return { outcome: 'done', facts: { ...(await archive(options)) } }
  },
})
