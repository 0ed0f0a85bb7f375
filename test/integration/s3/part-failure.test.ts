import { setImmediate } from 'node:timers/promises'
import { S3ServiceException, UploadPartCommand, type S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/runtime/units.ts'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createTestBucket } from '../../support/bucket.ts'
import { patternBytes } from '../../support/chunks.ts'

const block = patternBytes(MiB)

/** A view of the client of which one part fails, once. */
function failingAtPart(client: S3Client, failPart: number, error: Error): S3Client {
  let failed = false
  const send = (command: unknown, ...rest: unknown[]) => {
    if (!failed && command instanceof UploadPartCommand && command.input.PartNumber === failPart) {
      failed = true
      return Promise.reject(error)
    }
    return (client.send as (...args: unknown[]) => Promise<unknown>).call(client, command, ...rest)
  }
  return Object.assign(Object.create(client) as S3Client, { send })
}

const answer = (name: string, httpStatusCode: number) =>
  new S3ServiceException({
    name,
    message: 'a part that fails',
    $fault: 'server',
    $metadata: { httpStatusCode },
  })

describe('a part that fails in mid-upload', () => {
  it.each([
    [1, answer('InternalError', 500), 'STORE_UNAVAILABLE'],
    [3, answer('InternalError', 500), 'STORE_UNAVAILABLE'],
    [6, answer('SlowDown', 503), 'STORE_SLOW_DOWN'],
    [3, answer('AccessDenied', 403), 'STORE_DENIED'],
    [3, new Error('socket hang up'), 'STORE_UNAVAILABLE'],
  ])('ends the upload and its source: part %i, %s', async (part, error, code) => {
    const { client, settings, keys, openUploads } = await createTestBucket(onTestFinished)
    const store = createArtifactStore({
      client: failingAtPart(client, part, error),
      bucket: settings.bucket,
    })
    let chunks = 0
    let closed = false
    // has no end: a put that read on would never return
    async function* endless() {
      try {
        for (;;) {
          await setImmediate()
          chunks++
          yield block
        }
      } finally {
        closed = true
      }
    }
    const put = store.put('a.json', endless(), {
      contentType: 'application/json',
      signal: new AbortController().signal,
    })
    await expect(put).rejects.toMatchObject({ code, cause: error })
    expect(closed).toBe(true)
    // the parts before it, those in flight beside it, and what the stream had buffered
    expect(chunks * MiB).toBeLessThanOrEqual((part + 5) * 8 * MiB)
    expect([...(await keys()), ...(await openUploads())]).toEqual([])
  })
})
