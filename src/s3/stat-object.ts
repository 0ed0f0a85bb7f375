import { HeadObjectCommand, NotFound, type S3Client } from '@aws-sdk/client-s3'
import type { StoredObject } from '../export/ports.ts'

/** What the store says of an object; undefined when there is none. @throws errors of the SDK */
export async function statObject(
  client: S3Client,
  bucket: string,
  key: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<StoredObject | undefined> {
  const request = new HeadObjectCommand({ Bucket: bucket, Key: key })
  try {
    const head = await client.send(request, signal === undefined ? {} : { abortSignal: signal })
    return { key, bytes: head.ContentLength ?? 0, etag: head.ETag ?? '' }
  } catch (error) {
    if (error instanceof NotFound) return undefined
    throw error
  }
}
