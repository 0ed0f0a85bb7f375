import { createHash, createHmac } from 'node:crypto'

/** What a request's signature covers. */
export interface SignedRequest {
  readonly method: string
  /** Percent-decoded once, exactly as sent otherwise: S3 does not normalise `..` or `//`. */
  readonly path: string
  readonly query: URLSearchParams
  /** Lower-case names; values as they came over the wire, one character a byte. */
  readonly headers: NodeJS.Dict<string[]>
}

/** The part of a credential after the key: `20130524/us-east-1/s3/aws4_request`. */
export interface Scope {
  readonly date: string
  readonly region: string
  readonly service: string
}

export function scopeText(scope: Scope): string {
  return `${scope.date}/${scope.region}/${scope.service}/aws4_request`
}

/** Percent-encodes all but `A-Z a-z 0-9 - . _ ~`, in UTF-8, as SigV4 wants it. */
export function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

export function uriEncodePath(path: string): string {
  return path.split('/').map(uriEncode).join('/')
}

/** SigV4's canonical request for S3: the path is encoded once, and the query sorted. */
export function canonicalRequest(
  request: SignedRequest,
  signedHeaders: readonly string[],
  payloadHash: string,
): string {
  const query = [...request.query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? compareAscii(x, y) : compareAscii(a, b)))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}\n`)
  return [
    request.method,
    uriEncodePath(request.path),
    query,
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n')
}

function canonicalValue(values: readonly string[] = []): string {
  return values.map((value) => value.trim().replace(/ +/g, ' ')).join(',')
}

function compareAscii(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** What the signature is taken over; `timestamp` is `YYYYMMDDTHHMMSSZ`. */
export function stringToSign(timestamp: string, scope: Scope, canonical: string): string {
  // latin1 gives back the bytes of headers as they were sent
  const digest = createHash('sha256').update(canonical, 'latin1').digest('hex')
  return ['AWS4-HMAC-SHA256', timestamp, scopeText(scope), digest].join('\n')
}

/** The key of one day, region and service, derived from the secret. */
export function signingKey(secretAccessKey: string, scope: Scope): Buffer {
  const date = hmac(`AWS4${secretAccessKey}`, scope.date)
  return hmac(hmac(hmac(date, scope.region), scope.service), 'aws4_request')
}

export function signatureOf(key: Buffer, text: string): string {
  return hmac(key, text).toString('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
