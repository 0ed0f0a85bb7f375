import { createArtifactStore, type ArtifactStoreDeps } from '../../src/s3/artifact-store.ts'
import { createS3Client, type S3Settings } from '../../src/s3/client.ts'
import type { Patience } from '../../src/s3/request-handler.ts'
import { createTestBucket } from './bucket.ts'
import { chunksOf } from './chunks.ts'
import type { Release } from './release.ts'
import { createS3Proxy, type Meddle } from './s3-proxy.ts'

export interface MeddledStoreOptions {
  readonly endpoint?: string
  readonly patience?: Patience
  readonly settings?: Partial<S3Settings>
  readonly deps?: Partial<ArtifactStoreDeps>
}

/** A store whose every request passes through a test's hands, and the bucket behind it. */
export async function createMeddledStore(
  release: Release,
  meddle: Meddle,
  { endpoint, patience, settings, deps }: MeddledStoreOptions = {},
) {
  const bucket = await createTestBucket(release, endpoint)
  const proxy = await createS3Proxy(bucket.settings.endpoint!, meddle, release)
  const client = createS3Client({ ...bucket.settings, ...settings, endpoint: proxy.url }, patience)
  const failedCleanups: string[] = []
  const store = createArtifactStore({
    client,
    bucket: bucket.settings.bucket,
    onCleanupFailed: (key) => failedCleanups.push(key),
    lookPausesMs: { completion: [0, 50, 50], put: [0, 50, 50] },
    ...deps,
  })
  release(async () => {
    await store.close()
    client.destroy()
  })
  const put = (
    key: string,
    bytes: Buffer,
    signal: AbortSignal = new AbortController().signal,
    estimatedBytes?: number,
  ) => store.put(key, chunksOf(bytes), { contentType: 'application/json', signal, estimatedBytes })
  const leftovers = async () => [...(await bucket.keys()), ...(await bucket.openUploads())]
  return { bucket, proxy, store, put, leftovers, failedCleanups }
}
