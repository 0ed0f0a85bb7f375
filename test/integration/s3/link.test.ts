import { describe, expect, it, onTestFinished } from 'vitest'
import { S3Client } from '@aws-sdk/client-s3'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createS3Client } from '../../../src/s3/client.ts'
import { createTestBucket, stackS3Settings } from '../../support/bucket.ts'
import { chunksOf } from '../../support/chunks.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { until } from '../../support/until.ts'

const contentType = 'application/json'
const linkOptions = { ttlSeconds: 60, fileName: 'services_20140722T120000Z.json', contentType }

async function storeWithObject(endpoint: string, key: string) {
  const { client, settings } = await createTestBucket(onTestFinished, endpoint)
  const store = createArtifactStore({ client, bucket: settings.bucket })
  const signal = new AbortController().signal
  await store.put(key, chunksOf(Buffer.from('["S1"]')), { contentType, signal })
  return store
}

describeOnS3('a link', (endpoint) => {
  it('downloads under the file name that was given', async () => {
    const store = await storeWithObject(await endpoint(), 'odd key+ü.json')
    const response = await fetch((await store.link('odd key+ü.json', linkOptions)).url)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="services_20140722T120000Z.json"',
    )
    expect(response.headers.get('content-type')).toBe(contentType)
    expect(response.headers.get('content-length')).toBe('6')
  })

  it('ends when it says', async () => {
    const store = await storeWithObject(await endpoint(), 'short.json')
    const { url, expiresAt } = await store.link('short.json', { ...linkOptions, ttlSeconds: 1 })
    expect((await fetch(url)).status).toBe(200)
    await until(async () => (await fetch(url)).status === 403, { what: 'the link to end' })
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime())
  })

  it('serves no other object and no other name', async () => {
    const store = await storeWithObject(await endpoint(), 'mine.json')
    const { url } = await store.link('mine.json', linkOptions)
    expect((await fetch(url.replace('mine.json', 'yours.json'))).status).toBe(403)
    expect((await fetch(url.replace('services_', 'malware_'))).status).toBe(403)
  })

  it('names the address of those who follow it, where the store has another one for us', async () => {
    const { client, settings } = await createTestBucket(onTestFinished, await endpoint())
    const theirs = settings.endpoint!.replace('127.0.0.1', 'localhost')
    const linkClient = createS3Client({ ...settings, endpoint: theirs })
    onTestFinished(() => linkClient.destroy())
    const store = createArtifactStore({ client, linkClient, bucket: settings.bucket })
    const { signal } = new AbortController()
    await store.put('far.json', chunksOf(Buffer.from('["S1"]')), { contentType, signal })
    const { url } = await store.link('far.json', linkOptions)
    expect(url.startsWith(`${theirs}/`)).toBe(true)
    expect(await (await fetch(url)).text()).toBe('["S1"]')
    // the address is signed, too
    expect((await fetch(url.replace('localhost', '127.0.0.1'))).status).toBe(403)
  })

  it('is signed for an object that is not there, which is then not found', async () => {
    const store = await storeWithObject(await endpoint(), 'there.json')
    const { url } = await store.link('not-there.json', linkOptions)
    expect((await fetch(url)).status).toBe(404)
  })
})

describe('the end of a link', () => {
  it('is at most a week away, and not after that of the credentials that signed it', async () => {
    const week = 7 * 24 * 3600
    const { endpoint, region } = stackS3Settings()
    const linkFor = async (expiration: Date | undefined) => {
      const keys = { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' }
      const client = new S3Client({
        endpoint: endpoint!,
        region: region!,
        forcePathStyle: true,
        credentials: () =>
          Promise.resolve(expiration === undefined ? keys : { ...keys, expiration }),
      })
      onTestFinished(() => client.destroy())
      const store = createArtifactStore({ client, bucket: 'b' })
      return store.link('k', { ...linkOptions, ttlSeconds: 2 * week })
    }
    const expiration = new Date(Date.now() + 600_000)
    const bound = await linkFor(expiration)
    expect(bound.expiresAt.getTime()).toBeLessThanOrEqual(expiration.getTime())
    // one is given again for a hundredth of its life, and ends with a whole second
    expect(bound.expiresAt.getTime()).toBeGreaterThan(expiration.getTime() - 7000)
    expect(Number(new URL(bound.url).searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(600)

    const long = await linkFor(undefined)
    expect(new URL(long.url).searchParams.get('X-Amz-Expires')).toBe(String(week))
    expect(long.expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + week * 1000)
  })
})
