import http from 'node:http'
import net from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
  /** Of `text`; undefined when it is no JSON. */
  readonly json: unknown
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Sent as it is: the caller says what it is by a header. */
  readonly body?: string | Buffer
  /** Without a Content-Length, in chunks. */
  readonly chunked?: boolean
}

/**
 * One request on a connection of its own, by node:http: unlike fetch it sends the path as written,
 * follows no redirect, and sets no Content-Type.
 */
export function ask(
  base: string,
  method: string,
  path: string,
  { headers = {}, body, chunked = false }: AskOptions = {},
): Promise<Answer> {
  const { hostname, port } = new URL(base)
  const length = body === undefined || chunked ? {} : { 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const request = http.request(
      { hostname, port, method, path, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const { statusCode: status = 0, headers: received } = response
          resolve({ status, headers: received, text, json: parseJson(text) })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

/** `POST` of a value as JSON. */
export const post = (base: string, path: string, body: unknown, headers = {}): Promise<Answer> =>
  ask(base, 'POST', path, {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** Sends raw bytes on a socket of its own. @returns what came back until the server closed it */
export function askRaw(base: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes))
    let received = ''
    socket.on('data', (chunk) => (received += chunk.toString('latin1')))
    // a reset is a closed connection, too
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(received))
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
