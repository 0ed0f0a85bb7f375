import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  NoSuchUpload,
  type S3Client,
} from '@aws-sdk/client-s3'

/** Listings and aborts of one call at most: an upload that survives so many is left to the sweep. */
const maxRounds = 10

/** The same for an upload that is known: the listing follows. */
const maxAborts = 3

export interface AbortOptions {
  /** Ids that are known: these uploads are aborted even where listing is refused. */
  readonly uploadIds?: readonly string[]
  readonly signal?: AbortSignal
}

/**
 * Aborts every open upload of one key. Found by listing, not by memory alone: an upload whose id was
 * lost with the answer to its creation is found too. Repeated until none is left, because a part that
 * was in flight may land after its upload was aborted ("AbortMultipartUpload", S3 API reference).
 * @throws errors of the SDK
 */
export async function abortOpenUploads(
  client: S3Client,
  bucket: string,
  key: string,
  { uploadIds = [], signal }: AbortOptions = {},
): Promise<void> {
  const options = signal === undefined ? {} : { abortSignal: signal }

  /** False when there is no such upload any more. */
  async function abort(UploadId: string | undefined): Promise<boolean> {
    const request = new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId })
    try {
      await client.send(request, options)
      return true
    } catch (error) {
      if (error instanceof NoSuchUpload) return false
      throw error
    }
  }

  for (const id of uploadIds) {
    for (let times = 0; times < maxAborts && (await abort(id)); times++);
  }
  for (let round = 0; round < maxRounds; round++) {
    const request = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key })
    const listed = await client.send(request, options)
    const open = (listed.Uploads ?? []).filter((upload) => upload.Key === key)
    if (open.length === 0) return
    for (const { UploadId } of open) await abort(UploadId)
  }
}
