import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  NoSuchUpload,
  type S3Client,
} from '@aws-sdk/client-s3'

/** Listings and aborts of one call at most: an upload that survives so many is left to the sweep. */
const maxRounds = 10

/**
 * Aborts every open upload of one key. Found by listing, not by memory: an upload whose id was lost
 * with the answer to its creation is found too. Repeated until none is listed, because a part that
 * was in flight may land after its upload was aborted ("AbortMultipartUpload", S3 API reference).
 */
export async function abortOpenUploads(
  client: S3Client,
  bucket: string,
  key: string,
): Promise<void> {
  for (let round = 0; round < maxRounds; round++) {
    const listed = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key }),
    )
    const open = (listed.Uploads ?? []).filter((upload) => upload.Key === key)
    if (open.length === 0) return
    for (const { UploadId } of open) {
      await client
        .send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }))
        .catch((error: unknown) => {
          if (!(error instanceof NoSuchUpload)) throw error
        })
    }
  }
}
