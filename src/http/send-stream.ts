import type { OutgoingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { InterruptedError } from '../errors.ts'
import type { ExportSpec } from '../export/model.ts'
import type { RowSource } from '../export/ports.ts'
import { openExportStream, type ExportStream } from '../export/stream-export.ts'
import { KiB } from '../runtime/units.ts'
import { followConnection } from './follow-connection.ts'
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
  { request, reply, ...limits }: SendStreamOptions,
): Promise<void> {
  const { raw } = reply
  const connection = followConnection(request, reply, limits)
  const { signal } = connection
  let stream: ExportStream | undefined
  let bytes = 0

  async function* watched(opened: ExportStream) {
    try {
      for await (const chunk of opened.chunks) {
        bytes += chunk.length
        yield chunk
      }
    } catch (error) {
      // before the pipeline could end the answer in order
      connection.breakOff(error)
      throw error
    }
  }

  try {
    stream = await openExportStream(deps, spec, { signal })
    reply.hijack()
    reply.headers(streamHeaders(request))
    raw.writeHead(200, reply.getHeaders() as OutgoingHttpHeaders)
    const chunks = watched(stream)
    await (acceptsGzip(request.headers)
      ? pipeline(chunks, createGzip(gzipOptions), raw)
      : pipeline(chunks, raw))
    request.log.info({ bytes, ms: Math.round(reply.elapsedTime) }, 'stream sent')
  } catch (error) {
    const why: unknown = signal.aborted ? signal.reason : error
    if (connection.canAnswer()) throw why
    reply.hijack()
    logBreak(request, why)
  } finally {
    connection.release()
    await stream?.close()
  }
}

/** Whoever left, or stopped this server, knows; anything else is somebody's to look at. */
function logBreak({ log }: FastifyRequest, why: unknown): void {
  if (why instanceof InterruptedError) log.info({ reason: why.message }, 'stream broken off')
  else log.error({ err: why }, 'stream broken off')
}
