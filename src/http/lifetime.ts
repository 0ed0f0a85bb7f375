import { setMaxListeners } from 'node:events'
import type { FastifyInstance } from 'fastify'
import { InterruptedError } from '../errors.ts'

/** What long answers need to know of the server's end. */
export interface Lifetime {
  /** Aborted as soon as the server is asked to stop: who merely waits answers now. */
  readonly stopping: AbortSignal
  /** Aborted when the grace period is over: what still runs is broken off. */
  readonly ending: AbortSignal
}

/** What is broken off has gone by then, in its own way, ms. */
const breakingOffMs = 1000

/**
 * Follows the end of `app`, whose close() waits for the answers that are under way; but not for one that
 * outlasts the grace period, such as while a database that has gone silent does not answer.
 */
export function followLifetime(
  app: FastifyInstance,
  { graceMs }: { readonly graceMs: number },
): Lifetime {
  const stopping = new AbortController()
  const ending = new AbortController()
  // any number of answers wait for their end, which is no leak
  setMaxListeners(0, stopping.signal, ending.signal)
  const reason = new InterruptedError('This server is stopping.')
  const timers: NodeJS.Timeout[] = []
  app.addHook('preClose', (done) => {
    stopping.abort(reason)
    timers.push(
      setTimeout(() => ending.abort(reason), graceMs),
      setTimeout(() => app.server.closeAllConnections(), graceMs + breakingOffMs),
    )
    done()
  })
  app.addHook('onClose', (_app, done) => {
    for (const timer of timers) clearTimeout(timer)
    done()
  })
  return { stopping: stopping.signal, ending: ending.signal }
}
