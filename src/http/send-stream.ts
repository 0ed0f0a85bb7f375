import type { OutgoingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { InterruptedError } from '../errors.ts'
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
  /** A stream of which no byte moves for so long is broken off, ms. */
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
  const broken = new AbortController()
  /** The first reason counts. A reset: to a client of HTTP/1.0 an orderly close would mean "this was all". */
  const breakOff = (why: unknown) => {
    broken.abort(why)
    if (raw.headersSent) raw.socket?.resetAndDestroy()
  }
  const onEnding = () => breakOff(ending.reason)
  ending.addEventListener('abort', onEnding, { once: true })
  raw.once('close', () => broken.abort(new InterruptedError('The client has left.')))
  // Node looks at the bytes of a write that is under way, too: slow is not silent
  raw.setTimeout(stallMs, () =>
    breakOff(new InterruptedError(`No byte has moved for ${stallMs / 1000} s.`)),
  )
  const limit = setTimeout(
    () => breakOff(new InterruptedError(`The stream took longer than ${maxMs / 1000} s.`)),
    Math.min(maxMs, longestTimerMs),
  )

  let bytes = 0
  async function* watched(chunks: AsyncIterable<Buffer>) {
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length
        yield chunk
      }
    } catch (error) {
      breakOff(error)
      throw error
    }
  }

  let stream: ExportStream | undefined
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
    if (!raw.headersSent && !raw.destroyed)
      throw broken.signal.aborted ? broken.signal.reason : error
    reply.hijack()
    logBreak(request, broken.signal.aborted ? broken.signal.reason : error)
  } finally {
    clearTimeout(limit)
    ending.removeEventListener('abort', onEnding)
    await stream?.close()
  }
}

/** Whoever left, or stopped this server, knows; anything else is somebody's to look at. */
function logBreak({ log }: FastifyRequest, why: unknown): void {
  if (why instanceof InterruptedError) log.info({ reason: why.message }, 'stream broken off')
  else log.error({ err: why }, 'stream broken off')
}
