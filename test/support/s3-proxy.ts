import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Release } from './release.ts'

export type S3Operation =
  | 'create'
  | 'part'
  | 'complete'
  | 'abort'
  | 'uploads'
  | 'put'
  | 'copy'
  | 'head'
  | 'delete'
  | 'other'

export interface S3Answer {
  readonly status: number
  readonly headers?: http.OutgoingHttpHeaders
  readonly body: Buffer | string
}

export interface SeenRequest {
  readonly operation: S3Operation
  readonly headers: http.IncomingHttpHeaders
  /** Whether its client still waits for an answer. */
  isWaitedFor(): boolean
}

/** Passes a request on, with another body if given: of the same length, as the headers stay. */
export type Forward = (altered?: (body: Buffer) => Buffer) => Promise<S3Answer>

/**
 * Answers in place of the store, or passes a request on to it; nothing: the connection ends without an
 * answer. `nth` counts the requests of this operation, from 1; `path` is `/<bucket>/<key>`.
 */
export type Meddle = (
  operation: S3Operation,
  nth: number,
  forward: Forward,
  path: string,
) => Promise<S3Answer | undefined>

export interface S3Proxy {
  /** Of the store, through the proxy. */
  readonly url: string
  /** In the order in which they came. */
  readonly requests: readonly SeenRequest[]
  count(operation: S3Operation): number
}

/** Between the SDK and a store: what the store has been told, and what its client hears, are two things. */
export async function createS3Proxy(
  target: string,
  meddle: Meddle,
  release: Release,
): Promise<S3Proxy> {
  const requests: SeenRequest[] = []
  const count = (operation: S3Operation) =>
    requests.filter((request) => request.operation === operation).length

  async function handle(request: http.IncomingMessage, response: http.ServerResponse) {
    const body = await buffer(request)
    const operation = operationOf(request)
    requests.push({
      operation,
      headers: request.headers,
      isWaitedFor: () => !response.writableEnded && !response.destroyed,
    })
    const answer = await meddle(
      operation,
      count(operation),
      (alter = (same) => same) => forward(target, request, alter(body)),
      pathOf(request),
    )
    if (answer === undefined) response.destroy()
    else response.writeHead(answer.status, answer.headers).end(answer.body)
  }

  const server = http.createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  release(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, count }
}

const pathOf = ({ url = '' }: http.IncomingMessage) => new URL(url, 'http://store').pathname

function operationOf({ method, url = '', headers }: http.IncomingMessage): S3Operation {
  const { pathname, searchParams } = new URL(url, 'http://store')
  const ofKey = /^\/[^/]+\/./.test(pathname)
  const ofUpload = searchParams.has('uploadId')
  if (!ofKey) return searchParams.has('uploads') ? 'uploads' : 'other'
  switch (method) {
    case 'POST':
      return ofUpload ? 'complete' : 'create'
    case 'PUT':
      if (ofUpload) return 'part'
      return 'x-amz-copy-source' in headers ? 'copy' : 'put'
    case 'DELETE':
      return ofUpload ? 'abort' : 'delete'
    case 'HEAD':
      return 'head'
    default:
      return 'other'
  }
}

/** The headers as they came, Host too: they are signed. */
function forward(
  target: string,
  { method, url, headers }: http.IncomingMessage,
  body: Buffer,
): Promise<S3Answer> {
  const { hostname, port } = new URL(target)
  return new Promise((resolve, reject) => {
    const options = {
      hostname,
      port,
      method,
      path: url,
      headers: without(headers, 'expect'),
      agent: false,
    }
    const sent = http.request(options, (answer) => {
      buffer(answer).then((received) => {
        const { statusCode: status = 0, headers: given } = answer
        // the body is whole now
        const kept = without(given, 'transfer-encoding', 'connection')
        resolve({ status, headers: kept, body: received })
      }, reject)
    })
    sent.on('error', reject).end(body)
  })
}

const without = (headers: http.IncomingHttpHeaders, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))

/** An error as stores word it. */
export const s3Error = (status: number, code: string): S3Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>as the test wants it</Message></Error>`,
})
