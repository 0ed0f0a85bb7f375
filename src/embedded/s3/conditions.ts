import type { ByteRange } from './blobs.ts'
import type { ObjectRecord } from './records.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import type { WriteCondition } from './store.ts'

/** What a PUT or a completion asks of the object that is there already. */
export function writeCondition(request: S3Request): WriteCondition {
  const ifMatch = request.header('if-match')
  const ifNoneMatch = request.header('if-none-match')
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*') {
    throw new S3Error('NotImplemented', {
      message: 'If-None-Match on a write is only implemented for *.',
    })
  }
  return (current) => {
    if (ifNoneMatch !== undefined && current !== undefined) throw failed('If-None-Match')
    if (ifMatch === undefined) return
    if (current === undefined) throw new S3Error('NoSuchKey', { elements: { Key: request.key } })
    if (!matches(ifMatch, current)) throw failed('If-Match')
  }
}

/** Throws PreconditionFailed or NotModified, in the order of RFC 9110, section 13.2.2. */
export function assertReadable(request: S3Request, record: ObjectRecord): void {
  const ifMatch = request.header('if-match')
  const ifUnmodifiedSince = dateHeader(request, 'if-unmodified-since')
  const ifNoneMatch = request.header('if-none-match')
  const ifModifiedSince = dateHeader(request, 'if-modified-since')
  const modifiedAt = wholeSeconds(record)
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, record)) throw failed('If-Match')
  } else if (ifUnmodifiedSince !== undefined && modifiedAt > ifUnmodifiedSince) {
    throw failed('If-Unmodified-Since')
  }
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, record)) throw notModified(record)
  } else if (ifModifiedSince !== undefined && modifiedAt <= ifModifiedSince) {
    throw notModified(record)
  }
}

/**
 * The range that a read asks for; `undefined` means the whole object, which is also S3's answer to several
 * ranges and to what it cannot parse. Throws InvalidRange when it lies behind the end.
 */
export function requestedRange(request: S3Request, record: ObjectRecord): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.header('range')?.trim() ?? '')
  const [, from = '', to = ''] = match ?? []
  if (match === null || (from === '' && to === '') || !ifRange(request, record)) return undefined
  const end = record.bytes - 1
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined
  const first = from === '' ? Math.max(record.bytes - Number(to), 0) : Number(from)
  const last = from === '' || to === '' ? end : Math.min(Number(to), end)
  if (first <= last) return { first, last }
  throw new S3Error('InvalidRange', {
    elements: { RangeRequested: match[0], ActualObjectSize: String(record.bytes) },
    headers: { 'content-range': `bytes */${record.bytes}` },
  })
}

/** A download that goes on where it stopped wants the whole object if it has changed meanwhile. */
function ifRange(request: S3Request, record: ObjectRecord): boolean {
  const validator = request.header('if-range')
  if (validator === undefined) return true
  const time = Date.parse(validator)
  return validator.includes('"') || Number.isNaN(time)
    ? matches(validator, record)
    : wholeSeconds(record) <= time
}

function matches(list: string, record: ObjectRecord): boolean {
  if (list.trim() === '*') return true
  const etags = list.split(',').map((etag) => etag.trim().replace(/^W\//, '').replaceAll('"', ''))
  return etags.includes(record.etag)
}

/** HTTP's dates have no finer unit. */
function wholeSeconds(record: ObjectRecord): number {
  return Math.floor(Date.parse(record.modifiedAt) / 1000) * 1000
}

function dateHeader(request: S3Request, name: string): number | undefined {
  const time = Date.parse(request.header(name) ?? '')
  return Number.isNaN(time) ? undefined : time
}

function failed(condition: string): S3Error {
  return new S3Error('PreconditionFailed', { elements: { Condition: condition } })
}

function notModified(record: ObjectRecord): S3Error {
  return new S3Error('NotModified', {
    headers: {
      etag: `"${record.etag}"`,
      'last-modified': new Date(record.modifiedAt).toUTCString(),
    },
  })
}
