import { setTimeout as sleep } from 'node:timers/promises'
import { GetObjectCommand, NoSuchKey, S3ServiceException, type S3Client } from '@aws-sdk/client-s3'
import { StoreError } from '../errors.ts'
import { translateS3Error } from './s3-errors.ts'

/** So many times in a row without a new byte, a broken connection is followed by another one. */
const maxFailures = 5
const pauseMs = 500

const isPreconditionFailed = (error: unknown) =>
  error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412

const replaced = (key: string, offset: number) =>
  new StoreError('STORE_REJECTED', `${key} was replaced after ${offset} bytes of it were read.`, {
    hint: 'Run it again, once nobody writes to it any more.',
  })

/**
 * The bytes of an object; undefined when there is none. Where a connection breaks it goes on behind the last byte, of the same object.
 * @throws StoreError, also when the object is another one by then; the signal's reason
 */
export async function readObject(
  client: S3Client,
  bucket: string,
  key: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<AsyncIterable<Buffer> | undefined> {
  const get = async (offset: number, etag?: string) => {
    const rest = offset === 0 ? {} : { Range: `bytes=${offset}-` }
    const same = etag === undefined ? {} : { IfMatch: etag }
    const request = new GetObjectCommand({ Bucket: bucket, Key: key, ...rest, ...same })
    const answer = await client.send(request, { abortSignal: signal })
    return { ...answer, body: answer.Body as unknown as AsyncIterable<Uint8Array> }
  }

  async function* readOn(first: Awaited<ReturnType<typeof get>>): AsyncGenerator<Buffer> {
    const { ETag: etag, ContentLength: length = 0 } = first
    let { body } = first
    let offset = 0
    for (let failures = 0; ; failures++) {
      try {
        if (failures > 0) ({ body } = await get(offset, etag))
        for await (const chunk of body) {
          offset += chunk.length
          failures = 0
          yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
        }
        if (offset >= length) return
        throw new StoreError(
          'STORE_UNAVAILABLE',
          `${key} ended after ${offset} of ${length} bytes.`,
        )
      } catch (cause) {
        signal.throwIfAborted()
        // all is there, and whoever asked digests it: a checksum that the SDK compared says no more
        if (offset >= length && failures === 0) return
        if (isPreconditionFailed(cause)) throw replaced(key, offset)
        const error = translateS3Error(cause, bucket)
        if (!error.retryable || failures >= maxFailures) throw error
        await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted())
      }
    }
  }

  try {
    return readOn(await get(0))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof NoSuchKey) return undefined
    throw translateS3Error(error, bucket)
  }
}
