import { createHash } from 'node:crypto'
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import type { KillableStore } from './killable-store.ts'

/** What is in the bucket, read past Longhaul and past the proxy. */
export interface StoreContents {
  keys(): Promise<readonly string[]>
  /** Keys of open multipart uploads. */
  uploads(): Promise<readonly string[]>
  /** Size and digest of an object; undefined when it is not there. */
  digest(key: string): Promise<{ readonly bytes: number; readonly sha256: string } | undefined>
  close(): void
}

export function readStore(store: KillableStore): StoreContents {
  const { endpoint, region, bucket: Bucket, accessKeyId, secretAccessKey } = store
  const client = new S3Client({
    ...{ endpoint, region, forcePathStyle: true },
    credentials: { accessKeyId, secretAccessKey },
  })
  return {
    async keys() {
      const keys: string[] = []
      let ContinuationToken: string | undefined
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket,
            ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
          }),
        )
        for (const { Key = '' } of page.Contents ?? []) keys.push(Key)
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken !== undefined)
      return keys
    },
    async uploads() {
      // a thousand fit into one answer
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket }))
      return Uploads.map(({ Key = '' }) => Key)
    },
    async digest(Key) {
      const found = await client
        .send(new GetObjectCommand({ Bucket, Key }))
        .catch((error: unknown) => {
          if (error instanceof Error && error.name === 'NoSuchKey') return undefined
          throw error
        })
      if (found?.Body === undefined) return undefined
      const hash = createHash('sha256')
      let bytes = 0
      for await (const chunk of found.Body as AsyncIterable<Buffer>) {
        hash.update(chunk)
        bytes += chunk.length
      }
      return { bytes, sha256: hash.digest('hex') }
    },
    close: () => client.destroy(),
  }
}
