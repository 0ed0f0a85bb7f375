import { DeleteObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { abortOpenUploads, type AbortOptions } from './open-uploads.ts'

/** Removes the object and any open upload of one key. Nothing there is no error. @throws errors of the SDK */
export async function removeObject(
  client: S3Client,
  bucket: string,
  key: string,
  options: AbortOptions = {},
): Promise<void> {
  const { signal } = options
  try {
    await abortOpenUploads(client, bucket, key, options)
  } finally {
    // also where listing uploads is refused
    const request = new DeleteObjectCommand({ Bucket: bucket, Key: key })
    await client.send(request, signal === undefined ? {} : { abortSignal: signal })
  }
}
