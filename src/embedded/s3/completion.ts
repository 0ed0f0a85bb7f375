import { createHash } from 'node:crypto'
import {
  checksumAlgorithms,
  checksumElement,
  joinChecksums,
  statedChecksum,
  type ObjectChecksum,
} from './checksums.ts'
import type { ObjectRecord, PartRecord, Upload } from './records.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import { childText, parseXml, type XmlElement } from './xml.ts'
import { MiB } from '../../runtime/units.ts'

/** One part as the client lists it to complete an upload. */
export interface GivenPart {
  readonly number: number
  readonly etag: string
  /** The checksum's value, if the client repeats it, by the name of its element. */
  readonly checksums: ReadonlyMap<string, string>
}

const minPartBytes = 5 * MiB

export function parseCompletion(document: string): GivenPart[] {
  const root = parseXml(document)
  const parts = root.children.filter(({ name }) => name === 'Part').map(parsePart)
  if (root.name === 'CompleteMultipartUpload' && parts.length > 0) return parts
  throw new S3Error('MalformedXML')
}

function parsePart(element: XmlElement): GivenPart {
  const number = childText(element, 'PartNumber')?.trim() ?? ''
  const etag = childText(element, 'ETag')?.trim()
  if (!/^\d{1,9}$/.test(number) || etag === undefined) throw new S3Error('MalformedXML')
  const checksums = new Map<string, string>()
  for (const name of checksumAlgorithms.map(checksumElement)) {
    const value = childText(element, name)
    if (value !== undefined) checksums.set(name, value.trim())
  }
  return { number: Number(number), etag: etag.replaceAll('"', ''), checksums }
}

/** The object that the listed parts make; throws for a list that the upload does not bear out. */
export function objectOfParts(
  request: S3Request,
  upload: Upload,
  given: readonly GivenPart[],
): ObjectRecord {
  assertAscending(given)
  const parts = given.map((part) => matchPart(upload, part))
  for (const part of parts.slice(0, -1)) assertLargeEnough(part)
  const bytes = parts.reduce((sum, { blob }) => sum + blob.bytes, 0)
  assertSize(request, bytes)
  const checksum = checksumOf(upload, parts)
  assertStated(request, checksum)
  const md5 = createHash('md5')
  for (const { etag } of parts) md5.update(etag, 'hex')
  return {
    key: upload.record.key,
    blobs: parts.map(({ blob }) => blob),
    bytes,
    etag: `${md5.digest('hex')}-${parts.length}`,
    modifiedAt: new Date().toISOString(),
    headers: upload.record.headers,
    checksum,
    uploadId: upload.record.id,
  }
}

function assertAscending(given: readonly GivenPart[]): void {
  let previous = 0
  for (const { number } of given) {
    if (number <= previous) throw new S3Error('InvalidPartOrder')
    previous = number
  }
}

function matchPart({ record, parts }: Upload, given: GivenPart): PartRecord {
  const elements = { UploadId: record.id, PartNumber: String(given.number), ETag: given.etag }
  const part = parts.get(given.number)
  if (part?.etag !== given.etag) throw new S3Error('InvalidPart', { elements })
  if (record.checksum?.type === 'COMPOSITE') {
    const { algorithm } = record.checksum
    if (!given.checksums.has(checksumElement(algorithm))) {
      throw new S3Error('InvalidRequest', {
        message:
          `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request ` +
          `must include the checksum for each part. It was missing for part ${given.number}.`,
      })
    }
  }
  for (const [name, value] of given.checksums) {
    const stored = part.checksum
    if (
      stored === undefined ||
      checksumElement(stored.algorithm) !== name ||
      stored.value !== value
    )
      throw new S3Error('InvalidPart', { elements })
  }
  return part
}

function assertLargeEnough({ number, etag, blob }: PartRecord): void {
  if (blob.bytes >= minPartBytes) return
  throw new S3Error('EntityTooSmall', {
    elements: {
      ProposedSize: String(blob.bytes),
      MinSizeAllowed: String(minPartBytes),
      PartNumber: String(number),
      ETag: etag,
    },
  })
}

function assertSize(request: S3Request, bytes: number): void {
  const stated = request.header('x-amz-mp-object-size')
  if (stated === undefined || stated === String(bytes)) return
  throw new S3Error('InvalidRequest', {
    message: `The provided 'x-amz-mp-object-size' header does not match the ${bytes} bytes of the parts.`,
  })
}

function checksumOf({ record }: Upload, parts: readonly PartRecord[]): ObjectChecksum | undefined {
  if (record.checksum === undefined) return undefined
  const { algorithm, type } = record.checksum
  const values = parts.map(({ checksum, blob }) => ({
    value: checksum?.value ?? '',
    bytes: blob.bytes,
  }))
  return joinChecksums(algorithm, type, values)
}

/** The client may state the checksum of the whole; of a composite one the count may be left out. */
function assertStated(request: S3Request, checksum: ObjectChecksum | undefined): void {
  const stated = statedChecksum(request.header)
  if (stated === undefined || checksum === undefined) return
  const known = [checksum.value, checksum.value.replace(/-\d+$/, '')]
  if (stated.algorithm === checksum.algorithm && known.includes(stated.value)) return
  throw new S3Error('BadDigest', {
    message: `The ${stated.algorithm} you specified did not match the calculated checksum.`,
  })
}
