import type { FastifyInstance } from 'fastify'
import { InterruptedError } from '../errors.ts'

/** What long answers need to know of the server's end. */
export interface Lifetime {
  /** Aborted as soon as the server is asked to stop: who merely waits answers now. */
  readonly stopping: AbortSignal
  /** Aborted when the grace period is over: what still runs is broken off. */
  readonly ending: AbortSignal
}

/** Follows the end of `app`, whose close() waits for the answers that are under way. */
export function followLifetime(
  app: FastifyInstance,
  { graceMs }: { readonly graceMs: number },
): Lifetime {
  const stopping = new AbortController()
  const ending = new AbortController()
  const reason = new InterruptedError('This server is stopping.')
  let grace: NodeJS.Timeout | undefined
  app.addHook('preClose', (done) => {
    stopping.abort(reason)
    grace = setTimeout(() => ending.abort(reason), graceMs)
    done()
  })
  app.addHook('onClose', (_app, done) => {
    clearTimeout(grace)
    done()
  })
  return { stopping: stopping.signal, ending: ending.signal }
}
