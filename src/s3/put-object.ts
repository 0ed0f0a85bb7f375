import { setTimeout } from 'node:timers/promises'
import type { S3Client } from '@aws-sdk/client-s3'
import { StoreError } from '../errors.ts'
import type { PutOptions, StoredObject } from '../export/ports.ts'
import { abortAfter } from '../runtime/abort.ts'
import { inSpan } from '../runtime/trace.ts'
import { isFarBeyond, type PartPlan } from './part-size.ts'
import type { PutCleanup } from './put-cleanup.ts'
import { translateS3Error } from './s3-errors.ts'
import { sendParts } from './send-parts.ts'
import { statObject } from './stat-object.ts'
import { createUploadRequests, type UploadRequests } from './upload-requests.ts'

/** Pauses before the looks for an object whose store did not say that it is there, ms. */
export interface LookPauses {
  readonly completion: readonly number[]
  /** A small object is stored in no time, and is soon exported again. */
  readonly put: readonly number[]
}

/** One look must end, ms. */
const lookTimeoutMs = 10_000

export interface PutDeps {
  readonly client: S3Client
  readonly bucket: string
  readonly plan: (estimatedBytes?: number) => PartPlan
  readonly lookPausesMs: LookPauses
  /** A completion without an answer for so long is asked for again, ms. */
  readonly repeatMs: number
  readonly cleanup: PutCleanup
}

/**
 * Stores all chunks as one object, and confirms its size.
 * @throws StoreError, what the source failed with, or the reason of the abort; then, as far as the store
 * has answered, neither an object nor an open upload of this key is left
 */
export const putObject = (
  deps: PutDeps,
  key: string,
  chunks: AsyncIterable<Buffer>,
  options: PutOptions,
): Promise<StoredObject> =>
  inSpan('upload', { attributes: { 'aws.s3.key': key } }, async (span) => {
    const stored = await put(deps, key, chunks, options)
    span.setAttribute('longhaul.bytes', stored.bytes)
    return stored
  })

async function put(
  deps: PutDeps,
  key: string,
  chunks: AsyncIterable<Buffer>,
  options: PutOptions,
): Promise<StoredObject> {
  const plan = deps.plan(options.estimatedBytes)
  // hours before a part would show it
  if (isFarBeyond(plan, options.estimatedBytes)) throw foreseen(key, plan, options)
  const source = watch(chunks)
  const requests = createUploadRequests(deps.client, { ...deps, signal: options.signal })
  const target = { bucket: deps.bucket, key, contentType: options.contentType }
  const send = () => sendParts(requests, target, source.chunks, plan)
  try {
    const stored = await confirm(deps, key, requests, { send, ...source, ...options })
    await deps.cleanup.afterSuccess(key, requests)
    return stored
  } catch (error) {
    await deps.cleanup.afterFailure(key, requests)
    options.signal.throwIfAborted()
    // what the source failed with is not about the store
    throw source.failure() === error ? error : translateS3Error(error, deps.bucket)
  }
}

interface Sending {
  readonly send: () => Promise<void>
  readonly bytes: () => number
  readonly signal: AbortSignal
}

/**
 * Sends, and asks the store what it has. Where the last request failed, it is only the answer that may
 * have been lost: a finished object is not thrown away for that. Its key belongs to this attempt
 * alone, so what has its size is it.
 */
async function confirm(
  deps: PutDeps,
  key: string,
  requests: UploadRequests,
  { send, bytes, signal }: Sending,
): Promise<StoredObject> {
  const { client, bucket } = deps
  try {
    await send()
    const stored = await statObject(client, bucket, key, { signal })
    if (stored?.bytes === bytes()) return stored
    throw new StoreError(
      'STORE_UNAVAILABLE',
      `The object store confirms ${stored?.bytes ?? 'no'} bytes of ${key}, but ${bytes()} were sent.`,
    )
  } catch (error) {
    const committedBy = requests.committedBy()
    if (committedBy === undefined || signal.aborted) throw error
    // a refusal is no lost answer; but it may be one of the repeated request, whose first succeeded
    const mayPass = translateS3Error(error, bucket).retryable
    const pauses = mayPass ? deps.lookPausesMs[committedBy] : [0]
    const found = await look(deps, key, pauses, signal)
    if (found?.bytes === bytes()) return found
    throw error
  }
}

/** The first thing that is seen under this key. */
async function look(
  { client, bucket }: PutDeps,
  key: string,
  pausesMs: readonly number[],
  signal: AbortSignal,
): Promise<StoredObject | undefined> {
  for (const pauseMs of pausesMs) {
    await setTimeout(pauseMs, undefined, { signal })
    const limit = abortAfter(lookTimeoutMs, signal)
    // a store that cannot say it now may say it at the next look
    const found = await statObject(client, bucket, key, { signal: limit }).catch(() => undefined)
    if (found !== undefined) return found
  }
  return undefined
}

/** The same chunks, how many bytes they were, and what they failed with. */
function watch(chunks: AsyncIterable<Buffer>) {
  let bytes = 0
  let failure: unknown
  async function* watched() {
    try {
      for await (const chunk of chunks) {
        bytes += chunk.length
        yield chunk
      }
    } catch (error) {
      failure = error
      throw error
    }
  }
  return { chunks: watched(), bytes: () => bytes, failure: () => failure }
}

const foreseen = (key: string, { maxBytes }: PartPlan, { estimatedBytes }: PutOptions) =>
  new StoreError(
    'STORE_TOO_LARGE',
    `${key} would have about ${estimatedBytes ?? 0} bytes, and at most ${maxBytes} fit into 10,000 parts.`,
    {
      hint: 'Export a shorter range; or, if it cannot be so much, run ANALYZE on the tables of the source.',
    },
  )
