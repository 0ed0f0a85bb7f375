import type { AlarmReport } from '../src/archive/tell-alarms.ts'
import { AlertError } from '../src/errors.ts'
import type { ScheduledJobDefinition } from '../src/queue/job-definition.ts'

/** Looks whether archives need somebody, and tells. */
export type TellAlarms = (options: { readonly signal: AbortSignal }) => Promise<AlarmReport>

/** Once an hour, by one worker of all: one line of the log and one call, however many there are. */
export const archiveAlarmsJob: ScheduledJobDefinition<TellAlarms> = {
  name: 'longhaul-archive-alarms',
  schedule: { pattern: '20 * * * *', tz: 'UTC' },

  /** Never asked for: the next run of the schedule is the retry. */
  backoffMs: () => 0,

  async run(tell, _payload, options) {
    try {
      return { outcome: 'done', facts: { ...(await tell(options)) } }
    } catch (error) {
      if (error instanceof AlertError) return { outcome: 'failed', error }
      throw error
    }
  },
}
