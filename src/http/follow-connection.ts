import type { FastifyReply, FastifyRequest } from 'fastify'
import { InterruptedError, SourceError } from '../errors.ts'

export interface FollowOptions {
  /** Aborted when the server can wait no longer. */
  readonly ending: AbortSignal
  /** Nothing taken and nothing sent for so long ends the answer, ms. */
  readonly stallMs: number
  /** So does all of it taking longer, ms. */
  readonly maxMs: number
}

/** The connection of an answer that takes long. */
export interface Connection {
  /** Aborted when nobody waits for the answer any more, or nobody may; its reason says why. */
  readonly signal: AbortSignal
  /** Ends the answer, unless it has ended; the first reason counts. */
  breakOff(why: unknown): void
  /** Whether the client can still be told anything: the answer has not begun, and it is there. */
  canAnswer(): boolean
  /** Lets the connection go on to its next request. */
  release(): void
}

/** Node would end a longer timer at once. */
const longestTimerMs = 2 ** 31 - 1

/** Notices a client that leaves or stands still, and a server that ends. */
export function followConnection(
  request: FastifyRequest,
  { raw }: FastifyReply,
  { ending, stallMs, maxMs }: FollowOptions,
): Connection {
  const { socket } = request.raw
  const broken = new AbortController()
  // a reset: to a client of HTTP/1.0 an orderly close would mean that this was all
  const breakOff = (why: unknown) => {
    broken.abort(why)
    if (raw.headersSent && !raw.writableFinished) socket.resetAndDestroy()
  }
  const onLeft = () => breakOff(new InterruptedError('The client has left.'))
  const onEnding = () => breakOff(ending.reason)
  // one that closes its own side has left, too; Node would then end the answer in order
  socket.prependOnceListener('end', onLeft).once('close', onLeft)
  if (socket.destroyed) onLeft()
  ending.addEventListener('abort', onEnding, { once: true })
  if (ending.aborted) onEnding()
  // the socket's timer runs while neither side takes or sends anything
  raw.setTimeout(stallMs, () => breakOff(stalled(stallMs, raw.headersSent)))
  const onLimit = () =>
    breakOff(new InterruptedError(`The stream took longer than ${maxMs / 1000} s.`))
  const limit = setTimeout(onLimit, Math.min(maxMs, longestTimerMs))
  return {
    signal: broken.signal,
    breakOff,
    canAnswer: () => !raw.headersSent && !socket.readableEnded && !socket.destroyed,
    release() {
      clearTimeout(limit)
      socket.off('end', onLeft).off('close', onLeft)
      ending.removeEventListener('abort', onEnding)
    },
  }
}

/** Before the first byte only the source can be slow. */
const stalled = (ms: number, begun: boolean) =>
  begun
    ? new InterruptedError(`The stream did not move for ${ms / 1000} s.`)
    : new SourceError(
        'SOURCE_TIMEOUT',
        `No row has come from the source database for ${ms / 1000} s.`,
        { hint: 'Try again later, or send "Prefer: respond-async".' },
      )
