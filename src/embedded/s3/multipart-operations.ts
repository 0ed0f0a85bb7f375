import { createHash, randomBytes } from 'node:crypto'
import {
  checksumElements,
  checksumHeaders,
  isFullObjectAlgorithm,
  parseAlgorithm,
} from './checksums.ts'
import { objectOfParts, parseCompletion } from './completion.ts'
import { writeCondition } from './conditions.ts'
import { copyRange, copySource } from './copy-source.ts'
import { storedHeaders } from './object-headers.ts'
import { owner, type Operation } from './operation.ts'
import { openPayload, readDocument } from './payload.ts'
import type { ObjectRecord, PartRecord, UploadRecord } from './records.ts'
import { S3Error } from './s3-error.ts'
import { assertKey, numberParameter, type Reply, type S3Request } from './s3-request.ts'
import type { Store } from './store.ts'
import { xmlDocument } from './xml.ts'
import { MiB } from '../../runtime/units.ts'

const maxPartNumber = 10_000

export const createMultipartUpload: Operation = ({ store }, request) => {
  const { bucket, key } = request
  assertKey(key)
  const now = new Date()
  const checksum = wantedChecksum(request)
  const record: UploadRecord = {
    id: now.getTime().toString(16).padStart(12, '0') + randomBytes(20).toString('hex'),
    key,
    startedAt: now.toISOString(),
    headers: storedHeaders(request),
    checksum,
  }
  store.beginUpload(bucket, record)
  return {
    status: 200,
    headers:
      checksum === undefined
        ? {}
        : {
            'x-amz-checksum-algorithm': checksum.algorithm,
            'x-amz-checksum-type': checksum.type,
          },
    body: xmlDocument('InitiateMultipartUploadResult', {
      Bucket: bucket,
      Key: key,
      UploadId: record.id,
    }),
  }
}

export const uploadPart: Operation = async ({ store }, request) => {
  const { bucket, key, query } = request
  const number = parsePartNumber(query.get('partNumber') ?? '')
  if (request.header('x-amz-copy-source') !== undefined) return copyPart(store, request, number)
  const { record } = store.upload(bucket, key, uploadIdOf(request))
  const payload = openPayload(request, {
    compute: record.checksum?.type === 'FULL_OBJECT' ? record.checksum.algorithm : undefined,
  })
  assertSameAlgorithm(record, payload.algorithm)
  const blob = await store.blobs.write(payload.chunks)
  const part: PartRecord = {
    number,
    blob,
    etag: payload.md5(),
    modifiedAt: new Date().toISOString(),
    checksum: payload.checksum(),
  }
  await store.putPart(bucket, record, part)
  return { status: 200, headers: { etag: `"${part.etag}"`, ...checksumHeaders(part.checksum) } }
}

/** A part whose bytes are those of an object. Nothing states a checksum of them. */
async function copyPart(store: Store, request: S3Request, number: number): Promise<Reply> {
  const { bucket, key } = request
  const { record } = store.upload(bucket, key, uploadIdOf(request))
  assertSameAlgorithm(record, undefined)
  const source = copySource(store, request)
  const range = copyRange(request, source.record)
  const md5 = createHash('md5')
  async function* digested() {
    for await (const chunk of store.blobs.read(source.record.blobs, range)) {
      md5.update(chunk)
      yield chunk
    }
  }
  const blob = await store.blobs.write(digested())
  const modifiedAt = new Date().toISOString()
  const part: PartRecord = { number, blob, etag: md5.digest('hex'), modifiedAt }
  await store.putPart(bucket, record, part)
  const result = { ETag: `"${part.etag}"`, LastModified: modifiedAt }
  return { status: 200, body: xmlDocument('CopyPartResult', result) }
}

export const listParts: Operation = ({ store }, request) => {
  const { bucket, key, query } = request
  const { record, parts } = store.upload(bucket, key, uploadIdOf(request))
  const limit = numberParameter(query, 'max-parts', { max: 1000, otherwise: 1000 })
  const marker = numberParameter(query, 'part-number-marker', { max: maxPartNumber, otherwise: 0 })
  const following = [...parts.values()]
    .filter(({ number }) => number > marker)
    .sort((a, b) => a.number - b.number)
  const page = following.slice(0, limit)
  const truncated = limit > 0 && following.length > limit
  const body = xmlDocument('ListPartsResult', {
    Bucket: bucket,
    Key: key,
    UploadId: record.id,
    Initiator: owner,
    Owner: owner,
    StorageClass: 'STANDARD',
    PartNumberMarker: marker,
    // only when there is more: pagers take its presence for a next page
    NextPartNumberMarker: truncated ? page.at(-1)?.number : undefined,
    MaxParts: limit,
    IsTruncated: truncated,
    ChecksumAlgorithm: record.checksum?.algorithm,
    ChecksumType: record.checksum?.type,
    Part: page.map((part) => ({
      PartNumber: part.number,
      LastModified: part.modifiedAt,
      ETag: `"${part.etag}"`,
      Size: part.blob.bytes,
      ...checksumElements(part.checksum),
    })),
  })
  return { status: 200, body }
}

/** Repeating a completion that succeeded succeeds again, so a client may retry a lost answer. */
export const completeMultipartUpload: Operation = async ({ store }, request) => {
  const { bucket, key } = request
  const uploadId = uploadIdOf(request)
  const condition = writeCondition(request)
  const document = await readDocument(request, 8 * MiB, { checksumIsNotOfBody: true })
  const given = parseCompletion(document)
  // from here to the commit nothing waits, so the parts cannot change in between
  const current = store.bucket(bucket).objects.get(key)
  if (current?.uploadId === uploadId) return completed(request, current)
  const record = objectOfParts(request, store.upload(bucket, key, uploadId), given)
  await store.completeUpload(bucket, record, condition)
  return completed(request, record)
}

function completed({ bucket, key, header }: S3Request, record: ObjectRecord): Reply {
  const body = xmlDocument('CompleteMultipartUploadResult', {
    Location: `http://${header('host') ?? ''}/${bucket}/${key}`,
    Bucket: bucket,
    Key: key,
    ETag: `"${record.etag}"`,
    ...checksumElements(record.checksum),
    ChecksumType: record.checksum?.type,
  })
  return { status: 200, body }
}

export const abortMultipartUpload: Operation = async ({ store }, request) => {
  await store.abortUpload(request.bucket, request.key, uploadIdOf(request))
  return { status: 204 }
}

function uploadIdOf({ query }: S3Request): string {
  return query.get('uploadId') ?? ''
}

function parsePartNumber(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= maxPartNumber) return number
  throw new S3Error('InvalidArgument', {
    message: `Part number must be an integer between 1 and ${maxPartNumber}, inclusive`,
    elements: { ArgumentName: 'partNumber', ArgumentValue: text },
  })
}

function wantedChecksum(request: S3Request): UploadRecord['checksum'] {
  const text = request.header('x-amz-checksum-algorithm')
  if (text === undefined) return undefined
  const algorithm = parseAlgorithm(text)
  const otherwise = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE'
  const type = request.header('x-amz-checksum-type')?.toUpperCase() ?? otherwise
  const known = type === 'COMPOSITE' || type === 'FULL_OBJECT'
  const fits = type === 'COMPOSITE' ? algorithm !== 'CRC64NVME' : isFullObjectAlgorithm(algorithm)
  if (known && fits) return { algorithm, type }
  throw new S3Error('InvalidRequest', {
    message: `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
  })
}

/** All parts of an upload carry the algorithm that it was begun with. */
function assertSameAlgorithm({ checksum }: UploadRecord, algorithm: string | undefined): void {
  if (checksum === undefined || checksum.algorithm === algorithm) return
  if (algorithm === undefined && checksum.type === 'FULL_OBJECT') return
  throw new S3Error('InvalidRequest', {
    message:
      `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, ` +
      `actual checksum Type: ${algorithm?.toLowerCase() ?? 'null'}`,
  })
}
