import { checksumHeaders } from './checksums.ts'
import type { ObjectRecord, StoredHeaders } from './records.ts'
import { S3Error } from './s3-error.ts'
import type { S3Request } from './s3-request.ts'

const storedNames = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]

/** Headers that would change what is stored in ways that this server does not know. */
const unknownNames = /^x-amz-(server-side-encryption|tagging|object-lock|website-redirect|grant)/

/** The headers of an upload that are given back with its object. */
export function storedHeaders(request: S3Request): StoredHeaders {
  const stored: Record<string, string> = { 'content-type': 'binary/octet-stream' }
  for (const name of Object.keys(request.headers)) {
    const value = request.header(name)
    if (unknownNames.test(name)) {
      throw new S3Error('NotImplemented', {
        message: 'A header you provided implies functionality that is not implemented',
        elements: { Header: name },
      })
    }
    if (value === undefined) continue
    if (storedNames.includes(name) || name.startsWith('x-amz-meta-')) stored[name] = value
  }
  const { 'content-encoding': encoding, ...others } = stored
  const real = withoutFraming(encoding)
  return real === '' ? others : { ...others, 'content-encoding': real }
}

/** `aws-chunked` tells how the request was framed, and nothing about the object. */
function withoutFraming(encoding = ''): string {
  const codings = encoding.split(',').map((coding) => coding.trim())
  return codings.filter((coding) => coding !== 'aws-chunked').join(',')
}

/** What a read answers about an object; `response-…` parameters of the signed query come first. */
export function objectHeaders(request: S3Request, record: ObjectRecord): Record<string, string> {
  const withChecksum = request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
  return {
    ...record.headers,
    ...overrides(request.query),
    ...(withChecksum ? objectChecksumHeaders(record) : {}),
    'accept-ranges': 'bytes',
    etag: `"${record.etag}"`,
    'last-modified': new Date(record.modifiedAt).toUTCString(),
  }
}

export function objectChecksumHeaders({ checksum }: ObjectRecord): Record<string, string> {
  if (checksum === undefined) return {}
  return { ...checksumHeaders(checksum), 'x-amz-checksum-type': checksum.type }
}

function overrides(query: URLSearchParams): Record<string, string> {
  const found: Record<string, string> = {}
  for (const name of storedNames) {
    const value = query.get(`response-${name}`)
    if (value === null) continue
    // a header can carry no other characters, and a line end in one would forge the next
    if (!/^[\t\x20-\x7e\xa0-\xff]*$/.test(value)) {
      throw new S3Error('InvalidArgument', {
        message: 'Header value cannot be represented using ISO-8859-1.',
        elements: { ArgumentName: `response-${name}`, ArgumentValue: value },
      })
    }
    found[name] = value
  }
  return found
}
