import type { ExportQueue } from '../export/ports.ts'
import type { Probe } from '../runtime/readiness.ts'
import type { QueueConnection } from './connection.ts'
import type { ExportPayload } from './job-definition.ts'
import { logErrors, queueUnavailable, type ErrorLog } from './queue-errors.ts'

/** More than any export is allowed: the record decides whether there is another attempt. */
const attempts = 1_000

/** Of what nobody waits for: in BullMQ any priority is behind none. A backfill of a year holds up nobody's export. */
const behind = 1

export interface Producer extends ExportQueue {
  /** Asks whether the queue answers. @throws QueueError */
  readonly probe: Probe
  close(): Promise<void>
}

/**
 * Wakes workers: one job a dispatch of an export, carrying nothing but the export's id.
 * @param name of the queue
 * @throws QueueError when the queue cannot be reached now
 */
export async function createProducer(
  { classes, producer }: QueueConnection,
  name: string,
  logger: ErrorLog,
): Promise<Producer> {
  const queue = new classes.Queue<ExportPayload>(name, {
    ...producer,
    defaultJobOptions: {
      attempts,
      backoff: { type: 'custom' },
      // the record keeps what happened; a finished job would only block its id
      removeOnComplete: true,
      removeOnFail: true,
    },
  })
  const silence = logErrors(queue, logger)
  const translated = <T>(work: Promise<T>) =>
    work.catch((error: unknown) => {
      throw queueUnavailable(error)
    })
  try {
    await translated(queue.waitUntilReady())
  } catch (error) {
    await queue.close().catch(() => undefined)
    throw error
  }
  return {
    async enqueue({ id, dispatch, archive }) {
      const priority = archive === undefined ? {} : { priority: behind }
      await translated(
        queue.add(name, { exportId: id }, { jobId: `${id}-${dispatch}`, ...priority }),
      )
    },
    async look(id, dispatch) {
      const job = await translated(queue.getJob(`${id}-${dispatch}`))
      // where the queue lost it between two looks, it has no state
      const state = job === undefined ? 'unknown' : await translated(job.getState())
      if (state === 'active') return 'taken'
      return state === 'unknown' || state === 'completed' || state === 'failed' ? 'gone' : 'waiting'
    },
    probe: () => translated(queue.getJob('no such job')),
    async close() {
      await queue.close()
      silence()
    },
  }
}
