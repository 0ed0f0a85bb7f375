import type { ByteRange } from './blobs.ts'
import type { ObjectRecord } from './records.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'
import type { Store } from './store.ts'

/** The object that a request addresses. @throws S3Error NoSuchKey, NoSuchBucket */
export function objectOf(
  store: Store,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): ObjectRecord {
  const record = store.bucket(bucket).objects.get(key)
  if (record !== undefined) return record
  throw new S3Error('NoSuchKey', { elements: { Key: key } })
}

/** The object that a request copies. @throws S3Error */
export function copySource(
  store: Store,
  request: S3Request,
): { readonly bucket: string; readonly record: ObjectRecord } {
  const conditional = Object.keys(request.headers).some(
    (name) => name.startsWith('x-amz-copy-source-') && name !== rangeHeader,
  )
  const [path = '', version] = (request.header('x-amz-copy-source') ?? '').split('?')
  if (conditional || version !== undefined) {
    throw new S3Error('NotImplemented', {
      message: 'Copying is only implemented without conditions.',
    })
  }
  const match = /^\/?([^/]+)\/(.+)$/s.exec(decode(path))
  const [, bucket, key] = match ?? []
  if (bucket === undefined || key === undefined) {
    throw new S3Error('InvalidArgument', {
      message: 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    })
  }
  return { bucket, record: objectOf(store, { bucket, key }) }
}

const rangeHeader = 'x-amz-copy-source-range'

/** What of it becomes a part: all, or first and last byte, which both have to be there. @throws S3Error */
export function copyRange({ header }: S3Request, { bytes }: ObjectRecord): ByteRange {
  const text = header(rangeHeader)
  if (text === undefined) return { first: 0, last: bytes - 1 }
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(text) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (from !== '' && first <= last && last < bytes) return { first, last }
  throw new S3Error('InvalidArgument', {
    message: `Range specified is not valid for source object of size: ${bytes}`,
    elements: { ArgumentName: rangeHeader, ArgumentValue: text },
  })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error('InvalidArgument', { message: 'Copy Source must be URL-encoded.' })
  }
}
