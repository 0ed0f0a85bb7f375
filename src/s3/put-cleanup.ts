import type { S3Client } from '@aws-sdk/client-s3'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import { abortOpenUploads } from './open-uploads.ts'
import { removeObject } from './remove-object.ts'
import type { UploadRequests } from './upload-requests.ts'

/** Cleaning up must itself end, ms; and so must the wait for an answer that decides what there is to clean. */
const cleanupTimeoutMs = 10_000

export interface PutCleanupDeps {
  readonly client: S3Client
  readonly bucket: string
  /** How long a put that failed waits, before it is cleaned up behind, for the store's last answers, ms. */
  readonly settleMs: number
  readonly onCleanupFailed?: ((key: string, error: unknown) => void) | undefined
}

/** Cleans up behind puts. Never throws: `onCleanupFailed` is told, and the sweep finds what was left. */
export interface PutCleanup {
  /**
   * After a put that failed: removes what it made. A request that the store has not answered yet
   * (the completion of a large upload at a cancel) may make an object later: for some seconds more it
   * is waited for in the background, and its key is cleaned again. What comes later still is the sweep's.
   */
  afterFailure(key: string, requests: UploadRequests): Promise<void>
  /** After a put that succeeded: aborts what a repeated request may have begun beside its upload. */
  afterSuccess(key: string, requests: UploadRequests): Promise<void>
  /** Ends the waits in the background, cleans at once instead, and returns when that is done. */
  close(): Promise<void>
}

export function createPutCleanup({
  client,
  bucket,
  settleMs,
  onCleanupFailed,
}: PutCleanupDeps): PutCleanup {
  const closing = new AbortController()
  const background = new Set<Promise<void>>()

  async function bounded(key: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const signal = abortAfter(cleanupTimeoutMs)
    try {
      await untilAborted(work(signal), signal)
    } catch (error) {
      onCleanupFailed?.(key, error)
    }
  }

  const remove = (key: string, requests: UploadRequests) =>
    bounded(key, (signal) =>
      removeObject(client, bucket, key, { uploadIds: requests.uploadIds(), signal }),
    )

  async function removeOnceSettled(key: string, requests: UploadRequests): Promise<void> {
    await requests.settled(abortAfter(cleanupTimeoutMs, closing.signal))
    requests.drop()
    await remove(key, requests)
  }

  return {
    async afterFailure(key, requests) {
      const settled = await requests.settled(abortAfter(settleMs))
      await remove(key, requests)
      if (settled) return
      const work = removeOnceSettled(key, requests).finally(() => background.delete(work))
      background.add(work)
    },
    async afterSuccess(key, requests) {
      if (!requests.mayHaveSpareUploads()) return
      await bounded(key, (signal) => abortOpenUploads(client, bucket, key, { signal }))
    },
    async close() {
      closing.abort()
      await Promise.all(background)
    },
  }
}
