import { QueueError } from '../errors.ts'

/** Where errors go that no caller waits for: a logger of pino, or anything like it. */
export interface ErrorLog {
  error(facts: object, message: string): void
}

/** What BullMQ's classes have in common: they report what no caller waits for as an event. */
interface ErrorSource {
  on(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * Logs what a queue or worker reports, until it is silenced. BullMQ closes without waiting for its
 * sockets: an error of a connection that is already given up says nothing, and the logger may be gone.
 * @returns silences it; to be called once it is closed
 */
export function logErrors(source: ErrorSource, logger: ErrorLog): () => void {
  let silent = false
  source.on('error', (error) => {
    if (!silent) logger.error({ err: error }, 'queue error')
  })
  return () => {
    silent = true
  }
}

/** Any failure to reach the queue, as ours. */
export function queueUnavailable(cause: unknown): QueueError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new QueueError(`The queue cannot be reached: ${reason}.`, {
    cause,
    hint: 'Check that the database or Redis that holds the queue runs.',
  })
}
