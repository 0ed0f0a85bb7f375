import type { Socket } from 'node:net'
import { problem } from './problem.ts'

/** What a client may take its time for, ms. */
export interface ClientPatience {
  /** All headers of a request. */
  readonly headersMs: number
  /** All of a request, its body included. */
  readonly requestMs: number
  /** Between two looks for clients that take longer. */
  readonly lookMs: number
}

/** A proxy in front has long read a request before it sends one; so slow is a client that does it on purpose. */
export const clientPatience: ClientPatience = {
  headersMs: 10_000,
  requestMs: 30_000,
  lookMs: 2_000,
}

const meanings: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'HEADERS_TOO_LARGE', 'The headers are larger than 16 KiB.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'BODY_TOO_LARGE', 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'REQUEST_TIMEOUT', 'The request did not come within its time.'],
}

/** Ends a connection on which something came that is no request; whoever sent it is told why, if it still listens. */
export function refuseClient(error: NodeJS.ErrnoException, socket: Socket): void {
  const { code = '' } = error
  const [status, ourCode, detail] = meanings[code] ?? [400, 'BAD_REQUEST', 'This is not HTTP.']
  // an answer in the middle of another would be taken for a part of it
  if (!socket.writable || socket.bytesWritten > 0 || code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  const body = problem(status, ourCode, detail)
  const text = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${status} ${body.title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  )
  // one that does not take its answer is not waited for
  socket.setTimeout(1000, () => socket.destroy())
}
