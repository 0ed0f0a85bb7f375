import type { S3Client } from '@aws-sdk/client-s3'
import type { ArtifactStore } from '../export/ports.ts'
import type { Probe } from '../runtime/readiness.ts'
import { copyObject, type CopyOptions } from './copy-object.ts'
import { createLinkSigner } from './link.ts'
import { listEntries } from './list-entries.ts'
import { abortOpenUploads } from './open-uploads.ts'
import { planParts, type PartPlan } from './part-size.ts'
import { probeBucket } from './probe-bucket.ts'
import { createPutCleanup } from './put-cleanup.ts'
import { putObject, type LookPauses } from './put-object.ts'
import { removeObject } from './remove-object.ts'
import { translateS3Error } from './s3-errors.ts'
import { statObject } from './stat-object.ts'

/**
 * Half a minute for a completion whose answer was lost: a store may still be assembling, after a
 * gateway before it has lost its patience.
 */
const defaultLookPausesMs: LookPauses = {
  completion: [0, 1_000, 2_000, 4_000, 8_000, 15_000],
  put: [0, 500, 1_000],
}

/** So that a cancel is over within 2 s. */
const defaultSettleMs = 1_000

/** A store that answers at all, as AWS does by a blank now and then, has mostly done so by then. */
const defaultRepeatMs = 60_000

export interface ArtifactStoreDeps {
  readonly client: S3Client
  readonly bucket: string
  /** Signs the links, where the store has another address for those who follow them. Default: `client`. */
  readonly linkClient?: S3Client | undefined
  /** Told of a cleanup that failed; the sweep removes what it left. */
  readonly onCleanupFailed?: (key: string, error: unknown) => void
  readonly plan?: (estimatedBytes?: number) => PartPlan
  readonly lookPausesMs?: LookPauses
  /** A completion without an answer for so long is asked for again, ms. */
  readonly repeatMs?: number
  /** How long a put that failed waits for the store's last answers, ms; then it cleans up, and once more later. */
  readonly settleMs?: number
  /** Default: as Amazon S3 allows. */
  readonly copy?: CopyOptions
}

export interface S3ArtifactStore extends ArtifactStore {
  /** Asks whether the bucket is there, and is ours to list. @throws StoreError */
  readonly probe: Probe
  /** Ends what still goes on in the background behind puts that failed, before the client is destroyed. */
  close(): Promise<void>
}

/** Artifacts in an S3 bucket, uploaded in parts. */
export function createArtifactStore({
  client,
  bucket,
  linkClient = client,
  onCleanupFailed,
  plan = planParts,
  lookPausesMs = defaultLookPausesMs,
  repeatMs = defaultRepeatMs,
  settleMs = defaultSettleMs,
  copy,
}: ArtifactStoreDeps): S3ArtifactStore {
  const cleanup = createPutCleanup({ client, bucket, settleMs, onCleanupFailed })
  const signLink = createLinkSigner(linkClient, bucket)
  const putDeps = { client, bucket, plan, lookPausesMs, repeatMs, cleanup }

  const translated = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw translateS3Error(error, bucket)
    })

  return {
    put: (key, chunks, options) => putObject(putDeps, key, chunks, options),
    stat: (key) => translated(statObject(client, bucket, key)),
    copy: (from, to) => translated(copyObject(client, bucket, { from, to }, copy)),
    remove: (key) => translated(removeObject(client, bucket, key)),
    abortUploads: (key) => translated(abortOpenUploads(client, bucket, key)),
    link: (key, options) => translated(signLink(key, options)),
    probe: (options) => translated(probeBucket(client, bucket, options)),
    close: () => cleanup.close(),

    async *list(prefix, options) {
      try {
        yield* listEntries(client, bucket, prefix, options)
      } catch (error) {
        options.signal.throwIfAborted()
        throw translateS3Error(error, bucket)
      }
    },
  }
}
