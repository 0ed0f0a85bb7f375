import { HeadObjectCommand, UploadPartCopyCommand } from '@aws-sdk/client-s3'
import { expect, it, onTestFinished } from 'vitest'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { MiB } from '../../../src/runtime/units.ts'
import { createTestBucket, type TestBucket } from '../../support/bucket.ts'
import { chunksOf, patternBytes, sha256 } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { interceptedClient, type Intercept } from '../../support/intercepted-client.ts'

const options = () => ({ contentType: 'application/json', signal: new AbortController().signal })
const copy = { maxBytes: 6 * MiB, partBytes: 5 * MiB }

describeOnS3('an object that is too large for one copy', (endpoint) => {
  async function stored(bytes: Buffer, intercept: (bucket: TestBucket) => Intercept) {
    const bucket = await createTestBucket(onTestFinished, await endpoint())
    const client = interceptedClient(bucket.client, intercept(bucket))
    const store = createArtifactStore({ client, bucket: bucket.settings.bucket, copy })
    onTestFinished(() => store.close())
    await store.put('from', chunksOf(bytes), options())
    return { bucket, store }
  }

  it.each([6 * MiB + 1, 10 * MiB, 17 * MiB + 3])('is copied in parts: %i bytes', async (length) => {
    const bytes = patternBytes(length)
    let parts = 0
    const { bucket, store } = await stored(bytes, () => (command) => {
      if (command instanceof UploadPartCopyCommand) parts++
      return undefined
    })
    expect(await store.copy('from', 'to')).toMatchObject({ key: 'to', bytes: length })
    expect(parts).toBe(Math.ceil(length / copy.partBytes))
    const link = { ttlSeconds: 60, fileName: 'a.json', contentType: 'application/json' }
    const response = await fetch((await store.link('to', link)).url)
    expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(sha256(bytes))
    const { client, settings } = bucket
    const head = new HeadObjectCommand({ Bucket: settings.bucket, Key: 'to' })
    expect((await client.send(head)).ContentType).toBe('application/json')
    expect(await bucket.openUploads()).toEqual([])
  })

  it('leaves neither object nor upload when a part cannot be copied', async () => {
    let parts = 0
    const { bucket, store } = await stored(patternBytes(17 * MiB), () => (command) => {
      if (!(command instanceof UploadPartCopyCommand) || ++parts !== 2) return undefined
      return Promise.reject(new Error('connection lost'))
    })
    await expect(store.copy('from', 'to')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await bucket.keys()).toEqual(['from'])
    expect(await bucket.openUploads()).toEqual([])
  })
})
