import { Readable } from 'node:stream'
import { DeleteObjectCommand, HeadObjectCommand, NotFound, type S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { StoreError } from '../errors.ts'
import type { ArtifactStore, PutOptions, StoredObject } from '../export/ports.ts'
import { untilAborted } from '../runtime/abort.ts'
import { listEntries } from './list-entries.ts'
import { abortOpenUploads } from './open-uploads.ts'
import { planParts } from './part-size.ts'
import { signLink } from './link.ts'
import { translateS3Error } from './s3-errors.ts'

/** Parts in flight: with the part size, what an upload holds in memory. */
const partsInFlight = 2

/** Cleaning up after a failure must itself end, ms. */
const cleanupTimeoutMs = 10_000

export interface ArtifactStoreDeps {
  readonly client: S3Client
  readonly bucket: string
  /** Told of a cleanup that failed; the sweep removes what it left. */
  readonly onCleanupFailed?: (key: string, error: unknown) => void
}

/** Artifacts in an S3 bucket, uploaded in parts by lib-storage. */
export function createArtifactStore(deps: ArtifactStoreDeps): ArtifactStore {
  const { client, bucket } = deps

  async function stat(key: string, signal?: AbortSignal): Promise<StoredObject | undefined> {
    const request = new HeadObjectCommand({ Bucket: bucket, Key: key })
    try {
      const head = await client.send(request, signal === undefined ? {} : { abortSignal: signal })
      return { key, bytes: head.ContentLength ?? 0, etag: head.ETag ?? '' }
    } catch (error) {
      if (error instanceof NotFound) return undefined
      throw error
    }
  }

  async function remove(key: string): Promise<void> {
    try {
      await abortOpenUploads(client, bucket, key)
    } finally {
      // also where listing uploads is refused
      await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }))
    }
  }

  const translated = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw translateS3Error(error, bucket)
    })

  return {
    stat: (key) => translated(stat(key)),
    remove: (key) => translated(remove(key)),
    abortUploads: (key) => translated(abortOpenUploads(client, bucket, key)),
    link: (key, options) => translated(signLink(client, bucket, key, options)),

    async *list(prefix, options) {
      try {
        yield* listEntries(client, bucket, prefix, options)
      } catch (error) {
        options.signal.throwIfAborted()
        throw translateS3Error(error, bucket)
      }
    },

    async put(key, chunks, options) {
      const source = watch(chunks)
      try {
        const sent = await upload(deps, key, source.chunks, options)
        const stored = await stat(key, options.signal)
        if (stored?.bytes === sent) return stored
        throw new StoreError(
          'STORE_UNAVAILABLE',
          `The object store confirms ${stored?.bytes ?? 'no'} bytes of ${key}, but ${sent} were sent.`,
        )
      } catch (error) {
        const limit = AbortSignal.timeout(cleanupTimeoutMs)
        await untilAborted(remove(key), limit).catch((failure: unknown) => {
          deps.onCleanupFailed?.(key, failure)
        })
        options.signal.throwIfAborted()
        // what the source failed with is not about the store
        throw source.failure() === error ? error : translateS3Error(error, bucket)
      }
    },
  }
}

/** The same chunks, and what they failed with. */
function watch(chunks: AsyncIterable<Buffer>) {
  let failure: unknown
  async function* watched() {
    try {
      yield* chunks
    } catch (error) {
      failure = error
      throw error
    }
  }
  return { chunks: watched(), failure: () => failure }
}

/**
 * Sends all chunks as one object.
 * @returns the bytes sent
 */
async function upload(
  { client, bucket }: ArtifactStoreDeps,
  key: string,
  chunks: AsyncIterable<Buffer>,
  { contentType, estimatedBytes, signal }: PutOptions,
): Promise<number> {
  const { partBytes, maxBytes } = planParts(estimatedBytes)
  // lib-storage goes on reading after a part has failed, and lets parts in flight run after an
  // abort. One controller ends the source and every request together, whichever breaks first.
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  let sent = 0

  async function* counted() {
    for await (const chunk of chunks) {
      stop.throwIfAborted()
      sent += chunk.length
      if (sent > maxBytes) throw tooLarge(key, maxBytes)
      yield chunk
    }
  }
  const body = Readable.from(counted(), { objectMode: false })
  try {
    const uploading = new Upload({
      client: stoppable(client, stop, failed),
      params: { Bucket: bucket, Key: key, Body: body, ContentType: contentType },
      partSize: partBytes,
      queueSize: partsInFlight,
      // cleaned up by key instead, which also finds an upload whose id was never learnt
      leavePartsOnError: true,
    })
    // a source that does not hear the signal must not hold us up: nothing can be sent any more
    await untilAborted(uploading.done(), stop)
    return sent
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error
  } finally {
    body.destroy()
  }
}

/** A view of the client whose requests end with `stop`, and of which one failure ends the rest. */
function stoppable(client: S3Client, stop: AbortSignal, failed: AbortController): S3Client {
  const send = async (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    try {
      return await client.send(command, { abortSignal: stop })
    } catch (error) {
      failed.abort(error)
      throw error
    }
  }
  return Object.assign(Object.create(client) as S3Client, { send })
}

const tooLarge = (key: string, maxBytes: number) =>
  new StoreError(
    'STORE_TOO_LARGE',
    `${key} grows beyond ${maxBytes} bytes: 10,000 parts of the size that was planned for it.`,
    { hint: 'Export a shorter range.' },
  )
