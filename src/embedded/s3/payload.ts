import { createHash, type Hash } from 'node:crypto'
import {
  createChecksum,
  parseAlgorithm,
  statedChecksum,
  type Checksum,
  type ChecksumAlgorithm,
} from './checksums.ts'
import { decodeAwsChunked, type Trailers } from './chunked-body.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import { GiB } from '../../runtime/units.ts'

/** A body on its way in. Read `chunks` to the end, and only then ask for what was found. */
export interface Payload {
  /** The bytes without framing. Ends with an S3Error if they are not the ones signed and declared. */
  readonly chunks: AsyncGenerator<Buffer>
  /** Of the checksum that the sender states, at the start or at the end. */
  readonly algorithm: ChecksumAlgorithm | undefined
  /** Hex. */
  md5(): string
  /** The stated checksum, which held; or the one that the caller wanted computed. */
  checksum(): Checksum | undefined
}

const maxBodyBytes = 5 * GiB
const streaming = [
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
]

export interface PayloadOptions {
  /** To compute when the sender states none. */
  readonly compute?: ChecksumAlgorithm | undefined
  /** The headers state the checksum of something else: of the object that a completion makes. */
  readonly checksumIsNotOfBody?: boolean
}

/** Prepares to read a request's body; throws at once for what its headers already get wrong. */
export function openPayload(
  request: S3Request,
  { compute, checksumIsNotOfBody = false }: PayloadOptions = {},
): Payload {
  const { authentication, incoming } = request
  const { payloadHash } = authentication
  const framed = streaming.includes(payloadHash)
  const declaredBytes = parseLength(request, framed)
  const contentMd5 = parseContentMd5(request.header('content-md5'))
  const trailers: Trailers = new Map()
  const expected = checksumIsNotOfBody ? undefined : expectedChecksum(request, trailers)
  const algorithm = expected?.algorithm ?? compute
  const state = algorithm === undefined ? undefined : createChecksum(algorithm)
  const sha256 = wantsDigest(payloadHash) ? createHash('sha256') : undefined
  const md5 = createHash('md5')
  let found: { md5: string; checksum: Checksum | undefined } | undefined

  async function* read(): AsyncGenerator<Buffer> {
    request.proceed()
    // the default would cut the connection on an early end, and the client would not learn why
    const raw: AsyncIterable<Buffer> = incoming.iterator({ destroyOnReturn: false })
    const signedBy = payloadHash.startsWith('STREAMING-AWS4') ? authentication : undefined
    const source = framed ? decodeAwsChunked(raw, { signedBy, trailers }) : raw
    let bytes = 0
    for await (const chunk of source) {
      bytes += chunk.length
      if (bytes > declaredBytes) throw new S3Error('IncompleteBody')
      md5.update(chunk)
      sha256?.update(chunk)
      state?.update(chunk)
      yield chunk
    }
    if (bytes !== declaredBytes) throw new S3Error('IncompleteBody')
    assertDigest(sha256, payloadHash)
    const digest = md5.digest()
    if (contentMd5 !== undefined && !contentMd5.equals(digest)) throw new S3Error('BadDigest')
    const value = state?.digest().toString('base64')
    assertChecksum(expected, value)
    const checksum = algorithm && value !== undefined ? { algorithm, value } : undefined
    found = { md5: digest.toString('hex'), checksum }
  }

  function settled() {
    if (found === undefined) throw new TypeError('The body has not been read to its end.')
    return found
  }
  return {
    chunks: read(),
    algorithm: expected?.algorithm,
    md5: () => settled().md5,
    checksum: () => settled().checksum,
  }
}

/** Reads a document such as a list of parts whole. */
export async function readDocument(
  request: S3Request,
  maxBytes: number,
  options?: PayloadOptions,
): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of openPayload(request, options).chunks) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new S3Error('MalformedXML')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseLength(request: S3Request, framed: boolean): number {
  const text = request.header(framed ? 'x-amz-decoded-content-length' : 'content-length')
  if (text === undefined || !/^\d{1,15}$/.test(text)) throw new S3Error('MissingContentLength')
  const bytes = Number(text)
  if (bytes <= maxBodyBytes) return bytes
  throw new S3Error('EntityTooLarge', {
    elements: { ProposedSize: text, MaxSizeAllowed: String(maxBodyBytes) },
  })
}

function parseContentMd5(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length !== 16 || bytes.toString('base64') !== text) throw new S3Error('InvalidDigest')
  return bytes
}

interface ExpectedChecksum {
  readonly algorithm: ChecksumAlgorithm
  /** Known only at the end of the body when the checksum is sent as a trailer. */
  readonly value: () => string | undefined
}

function expectedChecksum(request: S3Request, trailers: Trailers): ExpectedChecksum | undefined {
  const stated = statedChecksum(request.header)
  if (stated !== undefined) return { algorithm: stated.algorithm, value: () => stated.value }
  const trailer = request.header('x-amz-trailer')?.toLowerCase()
  if (trailer === undefined) return undefined
  const name = /^x-amz-checksum-(\w+)$/.exec(trailer)?.[1]
  if (name === undefined) {
    throw new S3Error('InvalidRequest', {
      message: 'The value in the x-amz-trailer header is invalid',
    })
  }
  return { algorithm: parseAlgorithm(name), value: () => trailers.get(trailer) }
}

function assertChecksum(expected: ExpectedChecksum | undefined, computed = ''): void {
  if (expected === undefined || expected.value() === computed) return
  throw new S3Error('BadDigest', {
    message: `The ${expected.algorithm} you specified did not match the calculated checksum.`,
  })
}

function wantsDigest(payloadHash: string): boolean {
  if (payloadHash === 'UNSIGNED-PAYLOAD' || streaming.includes(payloadHash)) return false
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return true
  throw new S3Error('InvalidArgument', {
    message: 'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING value, or a hex SHA-256.',
  })
}

function assertDigest(sha256: Hash | undefined, payloadHash: string): void {
  const computed = sha256?.digest('hex')
  if (computed === undefined || computed === payloadHash) return
  throw new S3Error('XAmzContentSHA256Mismatch', {
    elements: { ClientComputedContentSHA256: payloadHash, S3ComputedContentSHA256: computed },
  })
}
