import { QueueError } from '../errors.ts'
import { reasonOf } from './probe-redis.ts'

/** Where errors go that no caller waits for: a logger of pino, or anything like it. */
export interface ErrorLog {
  warn(facts: object, message: string): void
  error(facts: object, message: string): void
}

/** What BullMQ's classes have in common: they report what no caller waits for as an event. */
interface ErrorSource {
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** The same trouble is not told again for so long, ms. */
const quietMs = 60_000

/** More kinds of trouble than these are not kept apart. */
const maxKinds = 20

/**
 * Logs what a queue or worker reports, until it is silenced: the same at most once a minute, with how often it was
 * not told meanwhile. BullMQ closes without waiting for its sockets: an error of a connection that is already given
 * up says nothing, and the logger may be gone.
 * @returns silences it; to be called once it is closed
 */
export function logErrors(source: ErrorSource, logger: ErrorLog): () => void {
  let silent = false
  const told = new Map<string, { atMs: number; untold: number }>()
  source.on('error', (error) => {
    if (silent) return
    const nowMs = performance.now()
    const before = told.get(error.message)
    if (before !== undefined && nowMs - before.atMs < quietMs) {
      before.untold++
      return
    }
    if (told.size >= maxKinds) told.clear()
    told.set(error.message, { atMs: nowMs, untold: 0 })
    const untold = before === undefined || before.untold === 0 ? {} : { untold: before.untold }
    logger.error({ err: error, ...untold }, 'queue error')
  })
  return () => {
    silent = true
  }
}

/** Any failure to reach the queue, as ours. */
export function queueUnavailable(cause: unknown): QueueError {
  if (cause instanceof QueueError) return cause
  return new QueueError(`The queue cannot be reached: ${reasonOf(cause)}.`, {
    cause,
    hint: 'Check that the database or Redis that holds the queue runs.',
  })
}
