import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
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
  /** Of an object, and of what is packed in it; undefined when it is not there. */
  digest(key: string): Promise<StoredDigest | undefined>
  close(): void
}

/** The same twice where nothing is packed. */
export interface StoredDigest extends Digest {
  readonly raw: Digest
}

interface Digest {
  readonly bytes: number
  readonly sha256: string
}

const digestOf = (bytes: Buffer): Digest => ({
  bytes: bytes.length,
  sha256: createHash('sha256').update(bytes).digest('hex'),
})

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
      const bytes = Buffer.from(await found.Body.transformToByteArray())
      const raw = Key.endsWith('.gz') ? gunzipSync(bytes) : bytes
      return { ...digestOf(bytes), raw: digestOf(raw) }
    },
    close: () => client.destroy(),
  }
}
