import type { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresBackend, type PostgresConnectionOptions } from 'bullmq'

/** BullMQ's own tables, apart from Longhaul's. */
export const queueSchema = 'longhaul_queue'

/** Every statement of the queue is short, at worst one of those that set it up: without an answer by then it has none, ms. */
const queryTimeoutMs = 10_000

/** Before a worker looks for a job again after it could not, ms. */
const pauseMs = 1000

/** How long connections may take to close, ms. */
const closeTimeoutMs = 2000

/**
 * How BullMQ reaches the queue in the control database.
 * @param connections for ordinary statements; a worker has one more that listens
 * @param migrate whether BullMQ's tables are brought up to date, under a lock of its own; else they must be there
 */
export const postgresOptions = (
  url: string,
  connections: number,
  { migrate = true }: { readonly migrate?: boolean } = {},
): PostgresConnectionOptions => ({
  connectionString: url,
  schema: queueSchema,
  migrate,
  max: connections,
  application_name: 'longhaul-queue',
  connectionTimeoutMillis: 10_000,
  query_timeout: queryTimeoutMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  // BullMQ brings its tables up to date on a connection that nobody listens to: one that broke just
  // then would end the process. What waits on it is rejected all the same.
  onConnect: (client: EventEmitter) => void client.on('error', () => undefined),
})

/**
 * BullMQ's PostgreSQL backend, for days when the database is not well. Of a look for a job that failed
 * BullMQ waits only where the connection was refused: after any other error, such as "the database
 * system is starting up", it looks again at once, thousands of times a minute. And it closes when its peer
 * says good-bye, which one that has gone silent never does.
 */
export const createPatientBackend: typeof createPostgresBackend = (...args) => {
  const backend = createPostgresBackend(...args)
  const moveToActive = backend.moveToActive.bind(backend)
  const close = backend.close.bind(backend)
  return Object.assign(backend, {
    async moveToActive(...given: Parameters<typeof moveToActive>) {
      try {
        return (await moveToActive(...given)) as unknown[]
      } catch (error) {
        await sleep(pauseMs)
        throw error
      }
    },
    close: (force?: boolean) =>
      Promise.race([close(force), sleep(closeTimeoutMs, undefined, { ref: false })]),
  })
}
