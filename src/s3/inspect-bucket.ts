import { randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  NotFound,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { BucketInspection, CopiedProbe } from '../doctor/bucket-ports.ts'
import type { Asking, ClockReading } from '../doctor/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import { KiB } from '../runtime/units.ts'
import type { S3Settings } from './client.ts'
import { copyObject } from './copy-object.ts'
import { fetchLink } from './fetch-link.ts'
import { inspectLifecycle } from './inspect-lifecycle.ts'
import { createLinkSigner } from './link.ts'
import { observeDate } from './observe-date.ts'
import { lacksOperation, lacksPermission, translateRefusal } from './permissions.ts'
import { probeBucket } from './probe-bucket.ts'
import { removeObject } from './remove-object.ts'
import { translateS3Error } from './s3-errors.ts'

/** Of a link that is followed at once. */
const linkTtlSeconds = 60

/** What was put must be gone by then, after an interruption, ms. */
const cleanupTimeoutMs = 5_000

export interface BucketInspectionDeps {
  readonly client: S3Client
  /** Signs the links. */
  readonly linkClient: S3Client
  readonly settings: S3Settings & { readonly linkEndpoint?: string | undefined }
  readonly clock: Clock
}

export interface BucketKeys {
  /** What is asked is asked about the objects below it. */
  readonly folder: string
  /** Nobody else's: of the object and the upload that are made. A copy has it with a suffix. */
  readonly key: string
}

type Made = 'object' | 'copy' | 'upload'

export interface ClosableBucketInspection extends BucketInspection {
  /** Removes what is still there. Never throws. */
  close(): Promise<void>
}

/** Asks a bucket for each thing that exports and archives need, by one small object and one small upload. */
export function inspectBucket(
  { client, linkClient, settings, clock }: BucketInspectionDeps,
  { folder, key }: BucketKeys,
): ClosableBucketInspection {
  const { bucket } = settings
  const ofBucket = { Bucket: bucket }
  const ofKey = { ...ofBucket, Key: key }
  const copyKey = `${key}-copy`
  const body = randomBytes(1 * KiB)
  let date: Date | undefined
  observeDate(client, (seen) => (date = seen))
  /** What may be in the bucket, and what is on its way there. */
  const left = new Set<Made>()
  const landing = new Set<Promise<unknown>>()
  const dropped = new AbortController()
  let uploadId: string | undefined

  const signLink = createLinkSigner(linkClient, bucket)
  const untilDropped = { abortSignal: dropped.signal }
  /** What makes something is not given up when nobody waits for it any more: it may be made all the same. */
  function make<T>(kind: Made, work: Promise<T>, { signal }: Asking): Promise<T> {
    left.add(kind)
    landing.add(work)
    return untilAborted(work, signal)
  }
  const needing =
    (resource: string, ...actions: readonly string[]) =>
    async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work
      } catch (error) {
        throw translateRefusal(error, { bucket, actions, resource: `${bucket}${resource}` })
      }
    }
  const writing = needing(`/${folder}*`, ...actionsOfPut(settings))
  const reading = needing(`/${folder}*`, 's3:GetObject')

  async function answer({ signal }: Asking): Promise<ClockReading | undefined> {
    const askedAt = clock.now().getTime()
    const request = new ListObjectsV2Command({ ...ofBucket, Prefix: folder, MaxKeys: 1 })
    try {
      await client.send(request, { abortSignal: signal })
    } catch (error) {
      if (!lacksPermission(error)) throw translateS3Error(error, bucket)
    }
    const theirs = date?.getTime()
    return theirs === undefined ? undefined : { askedAt, answeredAt: clock.now().getTime(), theirs }
  }

  /** As it is done where a later generation takes the place of the one before. */
  const copy = async (asking: Asking): Promise<CopiedProbe> => {
    const copying = copyObject(client, bucket, { from: key, to: copyKey })
    try {
      const copied = await make('copy', copying, asking)
      return copied?.bytes === body.length ? 'whole' : 'damaged'
    } catch (error) {
      if (lacksOperation(error)) return 'impossible'
      throw error
    }
  }

  async function remove({ signal }: Asking) {
    const send = (Key: string) =>
      client.send(new DeleteObjectCommand({ ...ofBucket, Key }), { abortSignal: signal })
    const { DeleteMarker } = await send(key)
    left.delete('object')
    if (left.has('copy')) await send(copyKey)
    left.delete('copy')
    return { keepsVersions: DeleteMarker === true }
  }

  async function close(): Promise<void> {
    if (left.size === 0) return
    const signal = abortAfter(cleanupTimeoutMs)
    const clean = async () => {
      await Promise.allSettled(landing)
      const uploadIds = uploadId === undefined ? [] : [uploadId]
      await Promise.allSettled([
        removeObject(client, bucket, key, { uploadIds, signal }),
        ...(left.has('copy') ? [removeObject(client, bucket, copyKey, { signal })] : []),
      ])
    }
    await untilAborted(clean(), signal).catch(() => undefined)
    dropped.abort()
  }

  return {
    ...placesOf(settings),
    credentials: async ({ signal }) => {
      const found = untilAborted(client.config.credentials(), signal)
      const { expiration } = await found.catch((error: unknown) => {
        signal.throwIfAborted()
        throw translateS3Error(error, bucket)
      })
      return { expiresAt: expiration }
    },
    answer,
    list: ({ signal }) =>
      needing(
        '',
        's3:ListBucket',
      )(
        probeBucket(client, bucket, { signal }).then(async () => {
          const request = new ListObjectsV2Command({ ...ofBucket, Prefix: folder, MaxKeys: 1 })
          await client.send(request, { abortSignal: signal })
        }),
      ),
    listUploads: async ({ signal }) => {
      const request = new ListMultipartUploadsCommand({ ...ofBucket, Prefix: key })
      await needing(
        '',
        's3:ListBucketMultipartUploads',
      )(client.send(request, { abortSignal: signal }))
    },
    put: async (asking) => {
      const request = new PutObjectCommand({ ...ofKey, Body: body })
      await writing(make('object', client.send(request, untilDropped), asking))
    },
    stat: async ({ signal }) => {
      const head = client.send(new HeadObjectCommand(ofKey), { abortSignal: signal })
      const found = await reading(head.catch(undefinedIfNone))
      return (
        found && {
          whole: found.ContentLength === body.length,
          settings: {
            S3_ENCRYPTION: found.ServerSideEncryption,
            S3_STORAGE_CLASS: found.StorageClass,
          },
        }
      )
    },
    fetchLink: async (asking) => {
      const options = { ttlSeconds: linkTtlSeconds, fileName: 'doctor', contentType: 'text/plain' }
      const { url } = await reading(signLink(key, options))
      return fetchLink(url, body, asking)
    },
    copy: (asking) =>
      needing(`/${folder}*`, 's3:GetObject', ...actionsOfPut(settings))(copy(asking)),
    remove: (asking) => needing(`/${folder}*`, 's3:DeleteObject')(remove(asking)),
    createUpload: async (asking) => {
      const request = client.send(new CreateMultipartUploadCommand(ofKey), untilDropped)
      uploadId = (await writing(make('upload', request, asking))).UploadId
    },
    sendPart: async ({ signal }) => {
      const part = { ...ofKey, UploadId: uploadId, PartNumber: 1, Body: body }
      await writing(client.send(new UploadPartCommand(part), { abortSignal: signal }))
    },
    abortUpload: async ({ signal }) => {
      const request = new AbortMultipartUploadCommand({ ...ofKey, UploadId: uploadId })
      await needing(
        `/${folder}*`,
        's3:AbortMultipartUpload',
      )(client.send(request, { abortSignal: signal }))
      left.delete('upload')
    },
    lifecycle: (asking) =>
      inspectLifecycle(client, bucket, asking).catch((error: unknown) => {
        throw translateS3Error(error, bucket)
      }),
    close,
  }
}

/** What putting an object takes, with all that it is asked to be stored with. */
const actionsOfPut = ({ tags, encryption }: S3Settings): readonly string[] => [
  's3:PutObject',
  ...(tags === undefined ? [] : ['s3:PutObjectTagging']),
  ...(encryption?.startsWith('aws:kms') ? ['(on its key) kms:GenerateDataKey, kms:Decrypt'] : []),
]

function placesOf({ bucket, endpoint, region, linkEndpoint }: BucketInspectionDeps['settings']) {
  const place = endpoint ?? `AWS${region === undefined ? '' : ` in ${region}`}`
  return { place: `${bucket} at ${place}`, linkPlace: linkEndpoint ?? place }
}

function undefinedIfNone(error: unknown): undefined {
  if (error instanceof NotFound) return undefined
  throw error
}
