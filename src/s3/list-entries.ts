import {
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  type ListMultipartUploadsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { ListOptions, StoredEntry } from '../export/ports.ts'

/** Every object and, unless they are left out, every open upload below a prefix, a page of at most 1,000 in memory at a time. */
export async function* listEntries(
  client: S3Client,
  bucket: string,
  prefix: string,
  { signal, only }: ListOptions,
): AsyncGenerator<StoredEntry> {
  const options = { abortSignal: signal }
  const below = { Bucket: bucket, Prefix: prefix }
  for await (const page of paginateListObjectsV2({ client }, below, options)) {
    for (const { Key: key, LastModified: at } of page.Contents ?? []) {
      if (key !== undefined && at !== undefined) yield { kind: 'object', key, at }
    }
  }
  if (only === 'objects') return

  let page: ListMultipartUploadsCommandOutput | undefined
  do {
    const from = { KeyMarker: page?.NextKeyMarker, UploadIdMarker: page?.NextUploadIdMarker }
    page = await client.send(new ListMultipartUploadsCommand({ ...below, ...from }), options)
    for (const { Key: key, Initiated: at } of page.Uploads ?? []) {
      if (key !== undefined && at !== undefined) yield { kind: 'upload', key, at }
    }
  } while (page.IsTruncated === true)
}
