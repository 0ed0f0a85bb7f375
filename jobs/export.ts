import { NotFoundError } from '../src/errors.ts'
import { runExport, type RunExportDeps, type RunOutcome } from '../src/export/run-export.ts'
import type { ExportPayload, JobDefinition, JobOutcome } from '../src/queue/job-definition.ts'

/**
 * A hiccup is over in a second; a failover or the restart of a store may take a minute and more. Together
 * the four pauses before a fifth failure are about two minutes, which an outage may last.
 */
const firstPauseMs = 1_000
const growth = 5
const longestPauseMs = 120_000

/** One requested export. */
export const exportJob: JobDefinition<ExportPayload, RunExportDeps> = {
  name: 'longhaul-exports',

  /** Up to a quarter of it is chance, so that many do not return together. */
  backoffMs(attemptsMade, random) {
    const pause = Math.min(longestPauseMs, firstPauseMs * growth ** (attemptsMade - 1))
    return Math.round(pause * (1 - random / 4))
  },

  logFields: ({ exportId }) => ({ export_id: exportId }),

  async run(deps, payload, options) {
    // somebody may have added a job by hand, with anything in it
    const exportId = String((payload as Partial<ExportPayload>).exportId)
    try {
      return toJobOutcome(await runExport(deps, exportId, options))
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error
      return { outcome: 'failed', error: new NotFoundError(exportId, { hint: howToEnqueue }) }
    }
  },
}

/** The record is the export; a job only points to it. */
const howToEnqueue =
  'Adding a job makes no export: request one with POST /exports, `longhaul export`, createClient of ' +
  'the package longhaul, or requestExport of createEnqueuer (longhaul/enqueue): these write its record, and add the job.'

function toJobOutcome(result: RunOutcome): JobOutcome {
  switch (result.outcome) {
    case 'completed': {
      const { attempt, artifact } = result
      return { outcome: 'done', facts: { state: 'completed', attempt, ...artifact } }
    }
    case 'canceled':
      return { outcome: 'done', facts: { state: 'canceled', attempt: result.attempt } }
    case 'skipped':
      return { outcome: 'done', facts: { skipped: true } }
    case 'held-back':
      return { outcome: 'done', facts: { held_back: true } }
    case 'failed':
      return { outcome: 'failed', error: result.error, facts: { attempt: result.attempt } }
    case 'again':
      return { outcome: 'retry', error: result.error, facts: { attempt: result.attempt } }
    case 'interrupted':
      return { outcome: 'interrupted', error: result.error, facts: { attempt: result.attempt } }
    case 'busy':
      return { outcome: 'later', until: result.until }
  }
}
