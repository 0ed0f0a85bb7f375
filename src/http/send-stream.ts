import type { OutgoingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { InterruptedError, SourceError } from '../errors.ts'
import type { ExportSpec } from '../export/model.ts'
import type { RowSource } from '../export/ports.ts'
import { openExportStream, type ExportStream } from '../export/stream-export.ts'
import { KiB } from '../runtime/units.ts'
import { acceptsGzip } from './request-headers.ts'

export interface SendStreamOptions {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Aborted when the server can wait no longer. */
  readonly ending: AbortSignal
  /**
   * A stream that does not move for so long is broken off, ms. What the system has buffered moves in
   * steps of up to a megabyte: a client must take that much in this time.
   */
  readonly stallMs: number
  /** So is one that takes longer altogether, ms: it holds a snapshot, which holds up vacuum. */
  readonly maxMs: number
}

/** Somebody waits: the fastest level. Chunks as large as those that come in cost fewer turns. */
const gzipOptions = { level: constants.Z_BEST_SPEED, chunkSize: 64 * KiB }

/** Node would end a longer timer at once. */
const longestTimerMs = 2 ** 31 - 1

/** What a stream says of itself before its first byte. */
export const streamHeaders = ({ headers }: FastifyRequest): Record<string, string> => ({
  'content-type': 'application/json',
  'cache-control': 'no-store',
  vary: 'Accept-Encoding',
  ...(acceptsGzip(headers) ? { 'content-encoding': 'gzip' } : {}),
})

/**
 * Sends an export as the answer, no faster than the client reads, and holding no more than a few
 * chunks. What fails before the first byte is thrown. What fails later breaks the connection, so that
 * no client can take a part for the whole. A client that leaves ends the query.
 * @throws SourceError, EncodeError, SpecError: then nothing was sent
 */
export async function sendStream(
  deps: { readonly source: RowSource },
  spec: ExportSpec,
  { request, reply, ending, stallMs, maxMs }: SendStreamOptions,
): Promise<void> {
  const { raw } = reply
  const { socket } = request.raw
  const broken = new AbortController()
  /** The first reason counts. A reset: to a client of HTTP/1.0 an orderly close would mean "this was all". */
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
  const limit = setTimeout(
    () => breakOff(new InterruptedError(`The stream took longer than ${maxMs / 1000} s.`)),
    Math.min(maxMs, longestTimerMs),
  )

  let stream: ExportStream | undefined
  let bytes = 0
  async function* watched(chunks: AsyncIterable<Buffer>) {
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length
        yield chunk
      }
      // before the answer ends: who asks again at once finds this place free
      await stream?.close()
    } catch (error) {
      breakOff(error)
      throw error
    }
  }

  try {
    stream = await openExportStream(deps, spec, { signal: broken.signal })
    reply.hijack()
    reply.headers(streamHeaders(request))
    raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders)
    const chunks = watched(stream.chunks)
    await (acceptsGzip(request.headers)
      ? pipeline(chunks, createGzip(gzipOptions), raw)
      : pipeline(chunks, raw))
    request.log.info({ bytes, ms: Math.round(reply.elapsedTime) }, 'stream sent')
  } catch (error) {
    // a connection that is open, and has seen nothing yet, gets an answer
    if (!raw.headersSent && !socket.readableEnded && !socket.destroyed)
      throw broken.signal.aborted ? broken.signal.reason : error
    reply.hijack()
    logBreak(request, broken.signal.aborted ? broken.signal.reason : error)
  } finally {
    clearTimeout(limit)
    socket.off('end', onLeft).off('close', onLeft)
    ending.removeEventListener('abort', onEnding)
    await stream?.close()
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

/** Whoever left, or stopped this server, knows; anything else is somebody's to look at. */
function logBreak({ log }: FastifyRequest, why: unknown): void {
  if (why instanceof InterruptedError) log.info({ reason: why.message }, 'stream broken off')
  else log.error({ err: why }, 'stream broken off')
}
