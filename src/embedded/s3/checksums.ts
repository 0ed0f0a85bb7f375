import { createHash } from 'node:crypto'
import { createCrc, isCrc, joinCrcs } from './crc.ts'
import { S3Error } from './s3-error.ts'

export const checksumAlgorithms = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const
export type ChecksumAlgorithm = (typeof checksumAlgorithms)[number]

/** `COMPOSITE`: the checksum of the parts' checksums, written `<base64>-<parts>`. */
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'

export interface Checksum {
  readonly algorithm: ChecksumAlgorithm
  /** Base64; a composite one ends in `-<parts>`. */
  readonly value: string
}

export interface ObjectChecksum extends Checksum {
  readonly type: ChecksumType
}

export interface ChecksumState {
  update(chunk: Uint8Array): void
  digest(): Buffer
}

export function createChecksum(algorithm: ChecksumAlgorithm): ChecksumState {
  return isCrc(algorithm) ? createCrc(algorithm) : createHash(algorithm.toLowerCase())
}

function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`
}

/** The name in XML: `ChecksumCRC32`. */
export function checksumElement(algorithm: ChecksumAlgorithm): string {
  return `Checksum${algorithm}`
}

export function parseAlgorithm(text: string): ChecksumAlgorithm {
  const algorithm = checksumAlgorithms.find((known) => known === text.toUpperCase())
  if (algorithm !== undefined) return algorithm
  throw new S3Error('InvalidRequest', { message: `Checksum algorithm ${text} is not supported.` })
}

export function checksumHeaders(checksum: Checksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [checksumHeader(checksum.algorithm)]: checksum.value }
}

export function checksumElements(checksum: Checksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [checksumElement(checksum.algorithm)]: checksum.value }
}

/** The checksum that a request states in its headers, if any; two are one too many. */
export function statedChecksum(header: (name: string) => string | undefined): Checksum | undefined {
  const stated = checksumAlgorithms.flatMap((algorithm) => {
    const value = header(checksumHeader(algorithm))
    return value === undefined ? [] : [{ algorithm, value }]
  })
  if (stated.length > 1) {
    throw new S3Error('InvalidRequest', {
      message:
        'Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.',
    })
  }
  return stated[0]
}

/** Only of a CRC can that of the whole be computed from those of the parts. */
export const isFullObjectAlgorithm: (algorithm: ChecksumAlgorithm) => boolean = isCrc

interface PartChecksum {
  readonly value: string
  readonly bytes: number
}

/** The checksum of an object from those of its parts, in the form asked for when the upload began. */
export function joinChecksums(
  algorithm: ChecksumAlgorithm,
  type: ChecksumType,
  parts: readonly PartChecksum[],
): ObjectChecksum {
  if (type === 'COMPOSITE') {
    const state = createChecksum(algorithm)
    for (const part of parts) state.update(Buffer.from(part.value, 'base64'))
    return { algorithm, type, value: `${state.digest().toString('base64')}-${parts.length}` }
  }
  if (!isCrc(algorithm)) {
    throw new S3Error('InvalidRequest', {
      message: `The FULL_OBJECT checksum type cannot be used with the ${algorithm} algorithm.`,
    })
  }
  const runs = parts.map((part) => ({
    check: Buffer.from(part.value, 'base64'),
    bytes: part.bytes,
  }))
  return { algorithm, type, value: joinCrcs(algorithm, runs).toString('base64') }
}
