import type { Sweep } from '../src/retention/sweep.ts'
import type { ScheduledJobDefinition } from '../src/queue/job-definition.ts'

/** Expires artifacts whose time is over, and removes what lost attempts left in the store. */
export const retentionSweepJob: ScheduledJobDefinition<Sweep> = {
  name: 'longhaul-sweep',
  // a plain pattern rather than an interval: to schedule it again changes nothing
  schedule: { pattern: '*/10 * * * *', tz: 'UTC' },

  /** Never asked for: the next run of the schedule is the retry. */
  backoffMs: () => 0,

  async run(sweep, _payload, options) {
    const { failure, ...counts } = await sweep(options)
    if (failure !== undefined) return { outcome: 'failed', error: failure, facts: counts }
    return { outcome: 'done', facts: counts }
  },
}
