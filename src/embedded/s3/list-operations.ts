import { compareKeys, isUpTo, pageOf } from './listing.ts'
import { owner, type Operation, type OperationDeps } from './operation.ts'
import type { ObjectRecord } from './records.ts'
import { S3Error } from './s3-error.ts'
import { numberParameter, type S3Request } from './s3-request.ts'
import { uriEncodePath } from './signature.ts'
import { xmlDocument } from './xml.ts'

const maxPage = { max: 1000, otherwise: 1000 }

export const listObjectsV2: Operation = (deps, request) => {
  const { query } = request
  const token = query.get('continuation-token')
  const marker = token === null ? (query.get('start-after') ?? '') : decodeToken(token)
  const { page, shared, contents } = listObjects(deps, request, marker)
  const withOwner = query.get('fetch-owner') === 'true'
  const body = xmlDocument('ListBucketResult', {
    ...shared,
    StartAfter: encoder(query)(query.get('start-after') ?? undefined),
    ContinuationToken: token ?? undefined,
    NextContinuationToken: page.last === undefined ? undefined : encodeToken(page.last.key),
    KeyCount: page.items.length + page.commonPrefixes.length,
    Contents: contents.map((entry) => (withOwner ? { ...entry, Owner: owner } : entry)),
  })
  return { status: 200, body }
}

/** The older form: it goes on from a key, and names the next one only when there is a delimiter. */
export const listObjectsV1: Operation = (deps, request) => {
  const { query } = request
  const marker = query.get('marker') ?? ''
  const { page, shared, contents } = listObjects(deps, request, marker)
  const encode = encoder(query)
  const body = xmlDocument('ListBucketResult', {
    ...shared,
    Marker: encode(marker),
    NextMarker: query.has('delimiter') ? encode(page.last?.key) : undefined,
    Contents: contents.map((entry) => ({ ...entry, Owner: owner })),
  })
  return { status: 200, body }
}

function listObjects({ store }: OperationDeps, { bucket, query }: S3Request, marker: string) {
  const limit = numberParameter(query, 'max-keys', maxPage)
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const sorted = [...store.bucket(bucket).objects.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compareKeys(a.key, b.key))
  const page = pageOf(sorted, { prefix, delimiter, limit, isPast: isUpTo(marker) })
  const encode = encoder(query)
  const shared = {
    Name: bucket,
    Prefix: encode(prefix),
    Delimiter: encode(query.get('delimiter') ?? undefined),
    MaxKeys: limit,
    EncodingType: query.get('encoding-type') ?? undefined,
    IsTruncated: page.last !== undefined,
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  }
  return { page, shared, contents: page.items.map((record) => entryOf(record, encode)) }
}

function entryOf(record: ObjectRecord, encode: Encoder) {
  return {
    Key: encode(record.key),
    LastModified: record.modifiedAt,
    ETag: `"${record.etag}"`,
    ChecksumAlgorithm: record.checksum?.algorithm,
    ChecksumType: record.checksum?.type,
    Size: record.bytes,
    StorageClass: 'STANDARD',
  }
}

export const listMultipartUploads: Operation = ({ store }, { bucket, query }) => {
  const limit = numberParameter(query, 'max-uploads', maxPage)
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker') ?? ''
  // an id begins with the time at which it was given, so uploads of one key are in order of their age
  const sorted = [...store.bucket(bucket).uploads.values()]
    .map(({ record }) => record)
    .sort((a, b) => compareKeys(a.key, b.key) || compareKeys(a.id, b.id))
  const isPastKey = isUpTo(keyMarker)
  const page = pageOf(sorted, {
    prefix,
    delimiter,
    limit,
    isPast: (upload, common) =>
      upload.key === keyMarker && idMarker !== ''
        ? upload.id <= idMarker
        : isPastKey(upload, common),
  })
  const encode = encoder(query)
  const body = xmlDocument('ListMultipartUploadsResult', {
    Bucket: bucket,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: encode(page.last?.key),
    NextUploadIdMarker: page.last?.item?.id,
    Prefix: encode(prefix),
    Delimiter: encode(query.get('delimiter') ?? undefined),
    EncodingType: query.get('encoding-type') ?? undefined,
    MaxUploads: limit,
    IsTruncated: page.last !== undefined,
    Upload: page.items.map((upload) => ({
      Key: encode(upload.key),
      UploadId: upload.id,
      Initiator: owner,
      Owner: owner,
      StorageClass: 'STANDARD',
      Initiated: upload.startedAt,
      ChecksumAlgorithm: upload.checksum?.algorithm,
      ChecksumType: upload.checksum?.type,
    })),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common) })),
  })
  return { status: 200, body }
}

type Encoder = (text: string | undefined) => string | undefined

/** Keys may hold characters that XML cannot carry; a client that minds asks for them URL-encoded. */
function encoder(query: URLSearchParams): Encoder {
  const encoding = query.get('encoding-type')
  if (encoding === null) return (text) => text
  if (encoding === 'url') return (text) => (text === undefined ? undefined : uriEncodePath(text))
  throw new S3Error('InvalidArgument', { message: 'Invalid Encoding Method specified in Request' })
}

function encodeToken(key: string): string {
  return Buffer.from(key).toString('base64url')
}

function decodeToken(token: string): string {
  const key = Buffer.from(token, 'base64url').toString()
  if (key !== '' && encodeToken(key) === token) return key
  throw new S3Error('InvalidArgument', { message: 'The continuation token provided is incorrect' })
}
