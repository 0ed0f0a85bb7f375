import type { IncomingMessage, Server } from 'node:http'
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

/**
 * Ends connections on which something comes that is no request. Whoever sent it is told why, unless that could be taken for
 * the answer, or for a part of the answer, to a request that came before: its route may have done what it asks for.
 * @returns to be told of each such connection
 */
export function refuseClients(
  server: Server,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const latest = new WeakMap<Socket, IncomingMessage>()
  server.on('request', (request) => latest.set(request.socket, request))
  return (error, socket) => {
    const { code = '' } = error
    const answered = socket.bytesWritten > 0 || latest.get(socket)?.complete === true
    if (!socket.writable || answered || code === 'ECONNRESET') socket.destroy()
    else refuse(socket, code)
  }
}

function refuse(socket: Socket, code: string): void {
  const [status, ourCode, detail] = meanings[code] ?? [400, 'BAD_REQUEST', 'This is not HTTP.']
  const body = problem(status, ourCode, detail)
  const text = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${status} ${body.title}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  )
  // one that does not take its answer is not waited for
  socket.setTimeout(1000, () => socket.destroy())
}
