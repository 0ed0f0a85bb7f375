import { HeadObjectCommand, NotFound, type HeadObjectCommandOutput } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createTestBucket } from '../../support/bucket.ts'
import { chunksOf } from '../../support/chunks.ts'
import { interceptedClient } from '../../support/intercepted-client.ts'

const missing = () => new NotFound({ message: 'NotFound', $metadata: { httpStatusCode: 404 } })
const ofBytes = (ContentLength: number): HeadObjectCommandOutput => ({
  ContentLength,
  ETag: '"e"',
  $metadata: {},
})

describe('an object that the store does not confirm', () => {
  it.each([
    ['another size', () => Promise.resolve(ofBytes(5)), '5 bytes'],
    ['no bytes at all', () => Promise.resolve(ofBytes(0)), '0 bytes'],
    ['no such object', () => Promise.reject(missing()), 'no bytes'],
  ])('is removed, and the put fails for now: %s', async (_title, head, said) => {
    const bucket = await createTestBucket(onTestFinished)
    const client = interceptedClient(bucket.client, (command) =>
      command instanceof HeadObjectCommand ? head() : undefined,
    )
    const store = createArtifactStore({ client, bucket: bucket.settings.bucket })
    const put = store.put('a.json', chunksOf(Buffer.from('["S1"]')), {
      contentType: 'application/json',
      signal: new AbortController().signal,
    })
    await expect(put).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
    await expect(put).rejects.toThrow(said)
    await expect(put).rejects.toThrow('but 6 were sent')
    expect(await bucket.keys()).toEqual([])
  })
})
