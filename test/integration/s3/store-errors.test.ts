import { S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { errorFacts, StoreError } from '../../../src/errors.ts'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createTestBucket, stackS3Settings } from '../../support/bucket.ts'
import { chunksOf, patternBytes } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { MiB } from '../../../src/runtime/units.ts'

const options = () => ({
  contentType: 'application/json',
  signal: new AbortController().signal,
})

/** A client whose credentials are its own, not those of the AWS chain. */
function clientWith(settings: {
  endpoint: string
  accessKeyId: string
  secretAccessKey: string
}): S3Client {
  const { endpoint, accessKeyId, secretAccessKey } = settings
  const client = new S3Client({
    endpoint,
    region: stackS3Settings().region!,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  })
  onTestFinished(() => client.destroy())
  return client
}

/** The keys of the stack; `stackS3Settings` has put them into the environment. */
function stackKeys() {
  stackS3Settings()
  return {
    accessKeyId: process.env['AWS_ACCESS_KEY_ID']!,
    secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY']!,
  }
}

async function storeErrorOf(work: Promise<unknown>): Promise<StoreError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(StoreError)
  return error as StoreError
}

/** What a person is shown of an error. */
const shown = (error: StoreError) => JSON.stringify(errorFacts(error)) + String(error)

describeOnS3('a store that refuses', (endpoint) => {
  async function storeWithoutBucket() {
    const client = clientWith({ endpoint: await endpoint(), ...stackKeys() })
    return createArtifactStore({ client, bucket: 'no-such-bucket' })
  }

  it.each([
    ['small', Buffer.from('[]')],
    ['large', patternBytes(20 * MiB)],
  ])('names the bucket that is missing: %s object', async (_size, bytes) => {
    const store = await storeWithoutBucket()
    const error = await storeErrorOf(store.put('a.json', chunksOf(bytes), options()))
    expect(error).toMatchObject({ code: 'STORE_NO_BUCKET', retryable: false })
    expect(error.message).toContain('"no-such-bucket"')
    expect(error.hint).toContain('S3_BUCKET')
  })

  it('names the missing bucket when removing, too', async () => {
    const store = await storeWithoutBucket()
    expect(await storeErrorOf(store.remove('a.json'))).toMatchObject({ code: 'STORE_NO_BUCKET' })
  })

  it.each([
    ['an unknown access key', 'AKIANOBODYKNOWS', 'a-secret-that-nobody-may-see'],
    ['a wrong secret', undefined, 'a-secret-that-nobody-may-see'],
  ])('says that it denies access: %s', async (_title, accessKeyId, secretAccessKey) => {
    const { settings } = await createTestBucket(onTestFinished, await endpoint())
    const keys = { accessKeyId: accessKeyId ?? stackKeys().accessKeyId, secretAccessKey }
    const { bucket } = settings
    const client = clientWith({ endpoint: await endpoint(), ...keys })
    const store = createArtifactStore({ client, bucket })
    for (const work of [
      () => store.put('a.json', chunksOf(Buffer.from('[]')), options()),
      () => store.put('a.json', chunksOf(patternBytes(20 * MiB)), options()),
      () => store.stat('a.json'),
      () => store.remove('a.json'),
    ]) {
      const error = await storeErrorOf(work())
      expect(error).toMatchObject({ code: 'STORE_DENIED', retryable: false })
      expect(error.message).toContain(JSON.stringify(bucket))
      // what the SDK says for a store that said no more than a code
      expect(error.message).not.toContain('UnknownError')
      expect(error.hint).toContain('credentials')
      expect(shown(error)).not.toContain(secretAccessKey)
    }
  })
})

describe('a store that is not there', () => {
  it.each([
    ['nobody listens', 'http://127.0.0.1:1', '127.0.0.1:1'],
    ['no such host', 'http://store.invalid', 'store.invalid'],
  ])('is unavailable, for now, and named: %s', async (_title, endpoint, name) => {
    const keys = stackKeys()
    const client = clientWith({ ...keys, endpoint })
    const failures: string[] = []
    const store = createArtifactStore({
      client,
      bucket: 'any',
      onCleanupFailed: (key) => failures.push(key),
    })
    const error = await storeErrorOf(store.put('a.json', chunksOf(Buffer.from('[]')), options()))
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true })
    expect(error.message).toContain(name)
    expect(error.hint).toContain('S3_ENDPOINT')
    expect(shown(error)).not.toContain(keys.secretAccessKey)
    // the caller is told that something may have been left
    expect(failures).toEqual(['a.json'])
  })
})
