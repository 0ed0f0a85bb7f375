import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  NotFound,
  S3ServiceException,
  UploadPartCopyCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { StoredObject } from '../export/ports.ts'
import { GiB } from '../runtime/units.ts'
import { statObject } from './stat-object.ts'

/** Amazon S3 API reference, CopyObject: what is larger is copied in parts, each of which may have as much. */
export const maxCopyBytes = 5 * GiB

/** A part is copied within one request, whose answer should come soon. */
const defaultPartBytes = GiB

export interface CopyOptions {
  readonly maxBytes?: number
  readonly partBytes?: number
}

/**
 * Copies an object within the bucket, by the store itself. Undefined when there is none to copy. The copy is whole or not there; to
 * copy again, or by many at the same time, makes the same object.
 * @throws errors of the SDK
 */
export async function copyObject(
  client: S3Client,
  bucket: string,
  { from, to }: { readonly from: string; readonly to: string },
  { maxBytes = maxCopyBytes, partBytes = defaultPartBytes }: CopyOptions = {},
): Promise<StoredObject | undefined> {
  const target = { Bucket: bucket, Key: to }
  const source = { CopySource: `${bucket}/${from.split('/').map(encodeURIComponent).join('/')}` }
  try {
    const head = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: from }))
    const { ContentLength: bytes = 0, ContentType } = head
    if (bytes <= maxBytes) await client.send(new CopyObjectCommand({ ...target, ...source }))
    else await copyInParts(client, { ...target, ContentType }, source, { bytes, partBytes })
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
  return statObject(client, bucket, to)
}

/** `NoSuchKey` comes with an answer that has a body, which that to a HEAD has not. */
const isMissing = (error: unknown) =>
  error instanceof NotFound || (error instanceof S3ServiceException && error.name === 'NoSuchKey')

async function copyInParts(
  client: S3Client,
  target: {
    readonly Bucket: string
    readonly Key: string
    readonly ContentType: string | undefined
  },
  source: { readonly CopySource: string },
  { bytes, partBytes }: { readonly bytes: number; readonly partBytes: number },
): Promise<void> {
  const { Bucket, Key } = target
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target))
  const upload = { Bucket, Key, UploadId }
  try {
    const Parts: CompletedPart[] = []
    for (let first = 0; first < bytes; first += partBytes) {
      const last = Math.min(first + partBytes, bytes) - 1
      const PartNumber = Parts.length + 1
      const range = { PartNumber, CopySourceRange: `bytes=${first}-${last}` }
      const part = new UploadPartCopyCommand({ ...upload, ...source, ...range })
      const { CopyPartResult } = await client.send(part)
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag })
    }
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } }))
  } catch (error) {
    // of this copy alone: another one of the same object may go on
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
    throw error
  }
}
