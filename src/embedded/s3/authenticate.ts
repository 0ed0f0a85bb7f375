import { createHash, timingSafeEqual } from 'node:crypto'
import { S3Error } from './s3-error.ts'
import {
  canonicalRequest,
  signatureOf,
  signingKey,
  stringToSign,
  type Scope,
  type SignedRequest,
} from './signature.ts'

/** Whom the server knows: one pair of keys, and the region that requests must be signed for. */
export interface Account {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

/** A request whose signature holds, and what is needed to check a body signed chunk by chunk. */
export interface Authentication {
  /** The hex SHA-256 of the body, `UNSIGNED-PAYLOAD`, or one of the `STREAMING-…` words. */
  readonly payloadHash: string
  readonly signature: string
  readonly timestamp: string
  readonly scope: Scope
  readonly signingKey: Buffer
}

interface Claim {
  readonly credential: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  readonly timestamp: string
  readonly payloadHash: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const maxSkewMs = 15 * 60 * 1000
const maxExpiresSeconds = 7 * 24 * 60 * 60

/**
 * Checks the signature of a request, in its Authorization header or in its query (a presigned URL).
 * Throws the S3Error that AWS gives for the first thing that is wrong. The body is not looked at.
 */
export function authenticate(request: SignedRequest, account: Account, now: Date): Authentication {
  const presigned = request.query.has('X-Amz-Algorithm') || request.query.has('X-Amz-Signature')
  const header = request.headers['authorization']?.[0]
  if (presigned && header !== undefined) {
    throw new S3Error('InvalidArgument', {
      message: 'Only one auth mechanism allowed; use the query or the Authorization header.',
    })
  }
  if (presigned) return verify(request, queryClaim(request, now), account)
  if (header?.startsWith('AWS ') === true || request.query.has('AWSAccessKeyId')) {
    throw new S3Error('InvalidRequest', {
      message:
        'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    })
  }
  if (header === undefined) throw new S3Error('AccessDenied')
  const claim = headerClaim(request, header)
  assertFresh(claim.timestamp, now)
  return verify(request, claim, account)
}

function headerClaim(request: SignedRequest, header: string): Claim {
  const match =
    /^AWS4-HMAC-SHA256\s+Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      header.trim(),
    )
  const [, credential, signedHeaders, signature] = match ?? []
  if (credential === undefined || signedHeaders === undefined || signature === undefined) {
    throw new S3Error('AuthorizationHeaderMalformed')
  }
  const payloadHash = request.headers['x-amz-content-sha256']?.[0]
  if (payloadHash === undefined) {
    throw new S3Error('InvalidRequest', {
      message: 'Missing required header for this request: x-amz-content-sha256',
    })
  }
  const timestamp = request.headers['x-amz-date']?.[0] ?? basicIso(request.headers['date']?.[0])
  return { credential, signedHeaders: signedHeaders.split(';'), signature, timestamp, payloadHash }
}

function queryClaim({ query, headers }: SignedRequest, now: Date): Claim {
  const parameter = (name: string): string => {
    const value = query.get(name)
    if (value !== null) return value
    throw new S3Error('AuthorizationQueryParametersError', {
      message: `Query-string authentication requires the ${name} parameter.`,
    })
  }
  if (parameter('X-Amz-Algorithm') !== algorithm) {
    throw new S3Error('AuthorizationQueryParametersError', {
      message: `X-Amz-Algorithm only supports "${algorithm}".`,
    })
  }
  const timestamp = parameter('X-Amz-Date')
  const expires = parameter('X-Amz-Expires')
  const expiresSeconds = /^\d{1,9}$/.test(expires) ? Number(expires) : 0
  if (expiresSeconds < 1 || expiresSeconds > maxExpiresSeconds) {
    throw new S3Error('AuthorizationQueryParametersError', {
      message: `X-Amz-Expires must be between 1 and ${maxExpiresSeconds} seconds.`,
    })
  }
  assertLive(timestamp, expiresSeconds, now)
  return {
    credential: parameter('X-Amz-Credential'),
    signedHeaders: parameter('X-Amz-SignedHeaders').split(';'),
    signature: parameter('X-Amz-Signature'),
    timestamp,
    payloadHash:
      query.get('X-Amz-Content-Sha256') ??
      headers['x-amz-content-sha256']?.[0] ??
      'UNSIGNED-PAYLOAD',
  }
}

function assertLive(timestamp: string, expiresSeconds: number, now: Date): void {
  const signedAt = parseTimestamp(timestamp)
  const expiresAt = signedAt + expiresSeconds * 1000
  if (signedAt - now.getTime() > maxSkewMs) {
    throw new S3Error('AccessDenied', { message: 'Request is not yet valid' })
  }
  if (now.getTime() >= expiresAt) {
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      elements: { Expires: new Date(expiresAt).toISOString(), ServerTime: now.toISOString() },
    })
  }
}

function assertFresh(timestamp: string, now: Date): void {
  if (Math.abs(parseTimestamp(timestamp) - now.getTime()) <= maxSkewMs) return
  throw new S3Error('RequestTimeTooSkewed', {
    elements: { RequestTime: timestamp, ServerTime: now.toISOString() },
  })
}

function verify(request: SignedRequest, claim: Claim, account: Account): Authentication {
  const [accessKeyId = '', date = '', region = '', service = '', end] = splitCredential(
    claim.credential,
  )
  if (!sameText(accessKeyId, account.accessKeyId)) throw new S3Error('InvalidAccessKeyId')
  if (service !== 's3' || end !== 'aws4_request' || date !== claim.timestamp.slice(0, 8)) {
    throw new S3Error('AuthorizationHeaderMalformed')
  }
  if (region !== account.region) {
    throw new S3Error('AuthorizationHeaderMalformed', {
      message: `The region '${region}' is wrong; expecting '${account.region}'`,
      elements: { Region: account.region },
    })
  }
  assertAllSigned(request, claim.signedHeaders)
  const scope = { date, region, service }
  const key = signingKey(account.secretAccessKey, scope)
  const canonical = canonicalRequest(request, claim.signedHeaders, claim.payloadHash)
  const expected = signatureOf(key, stringToSign(claim.timestamp, scope, canonical))
  if (!sameText(claim.signature, expected)) throw new S3Error('SignatureDoesNotMatch')
  const { payloadHash, signature, timestamp } = claim
  return { payloadHash, signature, timestamp, scope, signingKey: key }
}

/** A header that changes what a request means must be covered by its signature. */
function assertAllSigned({ headers }: SignedRequest, signed: readonly string[]): void {
  const unsigned = Object.keys(headers).filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !signed.includes(name),
  )
  if (unsigned.length === 0) return
  throw new S3Error('AccessDenied', {
    message: 'There were headers present in the request which were not signed',
    elements: { HeadersNotSigned: unsigned.join(', ') },
  })
}

/** The access key may itself hold slashes, so the scope is counted from the end. */
function splitCredential(credential: string): string[] {
  const fields = credential.split('/')
  return [fields.slice(0, -4).join('/'), ...fields.slice(-4)]
}

function parseTimestamp(timestamp: string): number {
  const iso = timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const time = iso === timestamp ? NaN : Date.parse(iso)
  if (Number.isNaN(time)) {
    throw new S3Error('AccessDenied', {
      message: 'AWS authentication requires a valid Date or x-amz-date header',
    })
  }
  return time
}

function basicIso(httpDate = ''): string {
  const time = Date.parse(httpDate)
  if (Number.isNaN(time)) return ''
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, '')
}

/** Compares in a time that does not tell how much of a guess was right. */
export function sameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
