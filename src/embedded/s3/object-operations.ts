import { assertReadable, requestedRange, writeCondition } from './conditions.ts'
import { copySource, objectOf } from './copy-source.ts'
import { objectChecksumHeaders, objectHeaders, storedHeaders } from './object-headers.ts'
import type { Operation } from './operation.ts'
import { openPayload } from './payload.ts'
import type { ObjectRecord } from './records.ts'
import { S3Error } from './s3-error.ts'
import { assertKey, type S3Request } from './s3-request.ts'
import type { ByteRange } from './blobs.ts'
import { xmlDocument } from './xml.ts'

export const putObject: Operation = async ({ store }, request) => {
  const { bucket, key } = request
  assertKey(key)
  const headers = storedHeaders(request)
  const condition = writeCondition(request)
  // before the body is sent for nothing; it counts once more when the object is committed
  condition(store.bucket(bucket).objects.get(key))
  const payload = openPayload(request)
  const blob = await store.blobs.write(payload.chunks)
  const checksum = payload.checksum()
  const record: ObjectRecord = {
    key,
    blobs: [blob],
    bytes: blob.bytes,
    etag: payload.md5(),
    modifiedAt: new Date().toISOString(),
    headers,
    checksum: checksum === undefined ? undefined : { ...checksum, type: 'FULL_OBJECT' },
  }
  await store.putObject(bucket, record, condition)
  return {
    status: 200,
    headers: { etag: `"${record.etag}"`, ...objectChecksumHeaders(record) },
  }
}

export const getObject: Operation = ({ store }, request) => {
  const record = objectOf(store, request)
  assertReadable(request, record)
  const part = requestedPart(request, record)
  const range = part?.range ?? requestedRange(request, record)
  const headers = objectHeaders(request, record)
  const { first, last } = range ?? { first: 0, last: record.bytes - 1 }
  const body =
    request.method === 'HEAD' ? undefined : store.blobs.read(record.blobs, { first, last })
  const length = { 'content-length': String(last - first + 1) }
  const withBody = body === undefined ? {} : { body }
  if (range === undefined) return { status: 200, headers: { ...headers, ...length }, ...withBody }
  // a checksum of the whole would fail to match what is sent
  const ofPart = Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-'))
  const partsCount = part === undefined ? {} : { 'x-amz-mp-parts-count': String(part.count) }
  return {
    status: 206,
    headers: {
      ...Object.fromEntries(ofPart),
      ...length,
      ...partsCount,
      'content-range': `bytes ${first}-${last}/${record.bytes}`,
    },
    ...withBody,
  }
}

export const deleteObject: Operation = async ({ store }, request) => {
  const { bucket, key } = request
  writeCondition(request)(store.bucket(bucket).objects.get(key))
  await store.deleteObject(bucket, key)
  return { status: 204 }
}

/** Copies within this server. The bytes are shared on disk, and the ETag stays that of the source. */
export const copyObject: Operation = async ({ store }, request) => {
  const { bucket, key } = request
  assertKey(key)
  const stored = storedHeaders(request)
  const condition = writeCondition(request)
  condition(store.bucket(bucket).objects.get(key))
  const source = copySource(store, request)
  const replaceHeaders = request.header('x-amz-metadata-directive')?.toUpperCase() === 'REPLACE'
  if (source.bucket === bucket && source.record.key === key && !replaceHeaders) {
    throw new S3Error('InvalidRequest', {
      message: 'This copy request is illegal: it copies an object to itself without a change.',
    })
  }
  const modifiedAt = new Date().toISOString()
  const record: ObjectRecord = {
    ...source.record,
    key,
    blobs: await store.blobs.duplicate(source.record.blobs),
    modifiedAt,
    headers: replaceHeaders ? stored : source.record.headers,
    uploadId: undefined,
  }
  await store.putObject(bucket, record, condition)
  const result = { ETag: `"${record.etag}"`, LastModified: modifiedAt }
  return { status: 200, body: xmlDocument('CopyObjectResult', result) }
}

/** One part of the multipart upload that made the object, by `partNumber` in the query. */
function requestedPart(
  { query }: S3Request,
  { blobs }: ObjectRecord,
): { range: ByteRange; count: number } | undefined {
  const text = query.get('partNumber')
  if (text === null) return undefined
  const blob = blobs[Number(text) - 1]
  if (blob === undefined || blob.bytes === 0) throw new S3Error('InvalidRange')
  const first = blobs.slice(0, Number(text) - 1).reduce((sum, { bytes }) => sum + bytes, 0)
  return { range: { first, last: first + blob.bytes - 1 }, count: blobs.length }
}
