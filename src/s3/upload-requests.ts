import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { untilAborted } from '../runtime/abort.ts'
import { inRequestSpan } from './request-span.ts'
import { completeUpload } from './complete-upload.ts'

type Command = Parameters<S3Client['send']>[0]

/** The requests of one put: what they made in the store, or may make yet. */
export interface UploadRequests {
  /** A view of the client. Once a request has failed, or the put is aborted, it sends no more. */
  readonly client: S3Client
  /** Aborted when a request has failed, with its error, or when the put is aborted, with its reason. */
  readonly stop: AbortSignal
  /** Of the uploads that the store said it has begun. */
  uploadIds(): readonly string[]
  /**
   * Whether the store may have begun an upload whose id is not known: the answer was lost, and the SDK
   * repeated the request.
   */
  mayHaveSpareUploads(): boolean
  /** The request that makes the object, once it was sent: then all bytes had been. */
  committedBy(): 'completion' | 'put' | undefined
  /** Waits until the store has answered whatever it was asked; false when the limit came first. */
  settled(limit: AbortSignal): Promise<boolean>
  /** Waits for no answer any more. */
  drop(): void
}

export interface UploadRequestsOptions {
  /** Aborts the put. */
  readonly signal: AbortSignal
  /** A completion without an answer for so long is asked for again, ms. */
  readonly repeatMs: number
}

/**
 * One failure, or the abort, ends all requests in flight, and lets no other begin. Not those, however, that
 * make an object or an upload: a store may act on a request whose client has gone, and what it makes
 * then is found only after it is made. They go on until `drop`.
 */
export function createUploadRequests(
  client: S3Client,
  { signal, repeatMs }: UploadRequestsOptions,
): UploadRequests {
  const failed = new AbortController()
  const dropped = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  const landing = new Set<Promise<unknown>>()
  const uploadIds: string[] = []
  let spareUploads = false
  let committedBy: 'completion' | 'put' | undefined

  async function create(command: CreateMultipartUploadCommand): Promise<unknown> {
    const created = await client.send(command, { abortSignal: dropped.signal })
    if (created.UploadId !== undefined) uploadIds.push(created.UploadId)
    if (created.$metadata.attempts !== 1) spareUploads = true
    return created
  }

  /** Also what follows from the answer: it is known by the time that `settled` says so. */
  function untilLanded(request: Promise<unknown>): Promise<unknown> {
    landing.add(request)
    const landed = () => landing.delete(request)
    request.then(landed, landed)
    return request
  }

  async function sendCommand(command: Command): Promise<unknown> {
    stop.throwIfAborted()
    if (command instanceof CreateMultipartUploadCommand) return untilLanded(create(command))
    if (command instanceof CompleteMultipartUploadCommand) {
      committedBy = 'completion'
      const ask = (answered: AbortSignal) =>
        client.send(command, { abortSignal: AbortSignal.any([dropped.signal, answered]) })
      return untilLanded(completeUpload(ask, { repeatMs, stop }))
    }
    if (command instanceof PutObjectCommand) {
      committedBy = 'put'
      return untilLanded(client.send(command, { abortSignal: dropped.signal }))
    }
    return client.send(command, { abortSignal: stop })
  }

  const send = (command: Command): Promise<unknown> =>
    inRequestSpan(command, () => sendCommand(command)).catch((error: unknown) => {
      failed.abort(error)
      throw error
    })

  return {
    client: Object.assign(Object.create(client) as S3Client, { send }),
    stop,
    uploadIds: () => uploadIds,
    mayHaveSpareUploads: () => spareUploads,
    committedBy: () => committedBy,
    settled: (limit) =>
      untilAborted(Promise.allSettled(landing), limit).then(
        () => true,
        () => false,
      ),
    drop: () => dropped.abort(),
  }
}
