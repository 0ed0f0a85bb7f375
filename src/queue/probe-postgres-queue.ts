import type { QueueProbe } from '../doctor/ports.ts'
import { untilAborted } from '../runtime/abort.ts'
import { postgresQueue } from './connection.ts'
import { postgresOptions } from './postgres-backend.ts'
import { queueUnavailable } from './queue-errors.ts'

/**
 * Asks the queue in the control database for a job that there is not. Where its tables are not there, or not those
 * of this version, that is an error: they are not made or changed here.
 * @param name of the queue
 */
export const probePostgresQueue = (url: string, name: string): QueueProbe => ({
  async ask({ signal }) {
    const { classes } = postgresQueue(url)
    const queue = new classes.Queue(name, {
      connection: postgresOptions(url, 1, { migrate: false }),
      skipMetasUpdate: true,
    })
    // what waits is rejected all the same
    queue.on('error', () => undefined)
    try {
      await untilAborted(queue.getJob('no such job'), signal)
    } catch (error) {
      signal.throwIfAborted()
      throw queueUnavailable(error)
    } finally {
      await queue.close().catch(() => undefined)
    }
  },
})
