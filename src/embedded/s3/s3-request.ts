import type { IncomingMessage } from 'node:http'
import type { Authentication } from './authenticate.ts'
import { S3Error } from './s3-error.ts'
import type { SignedRequest } from './signature.ts'

/** Which bucket and key a request names; either is empty when it names none. */
export interface Target extends SignedRequest {
  readonly bucket: string
  readonly key: string
}

/** A request whose signature has been checked, with what an operation needs of it. */
export interface S3Request extends Target {
  readonly id: string
  readonly authentication: Authentication
  readonly incoming: IncomingMessage
  /** Tells a client that waits for it (`Expect: 100-continue`) to send the body. */
  readonly proceed: () => void
  /** The values of a header, joined; the name in lower case. */
  readonly header: (name: string) => string | undefined
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | AsyncIterable<Buffer>
}

const maxKeyBytes = 1024

/**
 * Reads a request's target as it was sent. `new URL` must not be used here: it would resolve `..`, which
 * is a lawful part of a key.
 */
export function parseTarget(incoming: IncomingMessage): Target {
  const url = incoming.url ?? '/'
  const mark = url.indexOf('?')
  const path = decodePath(mark < 0 ? url : url.slice(0, mark))
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))
  const slash = path.indexOf('/', 1)
  const bucket = slash < 0 ? path.slice(1) : path.slice(1, slash)
  const key = slash < 0 ? '' : path.slice(slash + 1)
  const { method = 'GET', headersDistinct: headers } = incoming
  return { method, path, query, headers, bucket, key }
}

function decodePath(path: string): string {
  if (!path.startsWith('/')) throw new S3Error('InvalidURI')
  try {
    return decodeURIComponent(path)
  } catch {
    throw new S3Error('InvalidURI')
  }
}

export function createS3Request(
  target: Target,
  context: {
    id: string
    authentication: Authentication
    incoming: IncomingMessage
    proceed: () => void
  },
): S3Request {
  return { ...target, ...context, header: (name) => target.headers[name]?.join(', ') }
}

export function assertKey(key: string): void {
  const bytes = Buffer.byteLength(key)
  if (bytes <= maxKeyBytes) return
  throw new S3Error('KeyTooLongError', {
    elements: { Size: String(bytes), MaxSizeAllowed: String(maxKeyBytes) },
  })
}

/** A number in the query, such as `max-keys`; above `max` it is cut to that, as S3 does. */
export function numberParameter(
  query: URLSearchParams,
  name: string,
  { max, otherwise }: { max: number; otherwise: number },
): number {
  const text = query.get(name)
  if (text === null || text === '') return otherwise
  if (/^\d{1,10}$/.test(text)) return Math.min(Number(text), max)
  throw new S3Error('InvalidArgument', {
    message: `Argument ${name} must be an integer of 0 or more.`,
    elements: { ArgumentName: name, ArgumentValue: text },
  })
}
