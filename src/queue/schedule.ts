import { ErrorCode } from 'bullmq'
import type { QueueConnection } from './connection.ts'
import type { ScheduledJobDefinition } from './job-definition.ts'
import { logErrors, queueUnavailable, type ErrorLog } from './queue-errors.ts'

export interface Schedule {
  /** Makes the queue know the schedule; to do so again changes nothing. @throws QueueError */
  ensure(): Promise<void>
  close(): Promise<void>
}

/**
 * The schedule of one job: however many workers ensure it, each run is queued once; or twice, when it is
 * ensured in the very moment when it is due, so that the job must be safe to run again.
 */
export function createSchedule(
  { classes, producer }: QueueConnection,
  { name, schedule }: Pick<ScheduledJobDefinition<never>, 'name' | 'schedule'>,
  logger: ErrorLog,
): Schedule {
  const queue = new classes.Queue(name, producer)
  const silence = logErrors(queue, logger)
  return {
    async ensure() {
      const opts = {
        removeOnComplete: true,
        removeOnFail: true,
        // each run enqueues the next one: they would be one trace for ever
        telemetry: { omitContext: true },
      }
      try {
        await queue.upsertJobScheduler(name, schedule, { name, data: {}, opts })
      } catch (error) {
        if (!isQueued(error)) throw queueUnavailable(error)
      }
    },
    async close() {
      await queue.close()
      silence()
    },
  }
}

/** The run that is due is being taken by a worker in this very moment: it will schedule the next one. */
const isQueued = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === ErrorCode.SchedulerJobIdCollision
