import type { Logger } from '../logger.ts'
import { startPeriodic } from '../runtime/periodic.ts'
import type { Resources } from '../runtime/resources.ts'
import type { QueueConnection } from './connection.ts'
import type { ScheduledJobDefinition } from './job-definition.ts'
import { createSchedule } from './schedule.ts'
import { startWorker } from './worker.ts'

/** How often the queue is told its schedules, ms: it may have lost them. */
const scheduleMs = 600_000

/** Of a scheduled job, ms: who takes it up that long after a worker vanished finds it done, or does it again. */
const lockMs = 300_000

export interface ScheduledOptions {
  /** It stops with these. */
  readonly resources: Resources
  readonly logger: Logger
}

/** Runs a job when its schedule says so, whichever worker is first. @throws QueueError */
export async function startScheduled<Deps>(
  connection: QueueConnection,
  definition: ScheduledJobDefinition<Deps>,
  deps: Deps,
  { resources, logger }: ScheduledOptions,
): Promise<void> {
  const worker = await startWorker(connection, definition, deps, { concurrency: 1, lockMs, logger })
  resources.add(worker, (running) => running.stop({ graceMs: 0 }))
  const schedule = createSchedule(connection, definition, logger)
  resources.add(schedule, (known) => known.close())
  await schedule.ensure()
  const ensuring = startPeriodic(() => schedule.ensure(), {
    intervalMs: scheduleMs,
    onError: (error) =>
      logger.warn({ err: error, queue: definition.name }, 'could not tell the queue a schedule'),
  })
  resources.add(ensuring, (running) => running.stop())
}
