import { setTimeout as sleep } from 'node:timers/promises'
import { createPostgresBackend } from 'bullmq'

/** Before a worker looks for a job again after it could not, ms. */
const pauseMs = 1000

/** How long connections may take to close, ms. */
const closeTimeoutMs = 2000

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
