import { GetObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { exposeToAwsSdk } from '../../src/config.ts'
import { createLinkSigner } from '../../src/s3/link.ts'

// silences the warning of its next end of support
exposeToAwsSdk({})

const contentType = 'application/json'
const options = { ttlSeconds: 600, fileName: 'services (1)*.json', contentType }
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }
const keys = ['exports/a.json', "odd key+ü/(1)*'!~.json", 'a//b/%41?x=1#y&z=ä', '日本.gz', '/']

const clients: Readonly<Record<string, S3ClientConfig>> = {
  'AWS, by host name': { region: 'eu-central-1', credentials },
  'AWS, by path': { region: 'us-east-1', credentials, forcePathStyle: true },
  'AWS, dual stack': { region: 'us-west-2', credentials, useDualstackEndpoint: true },
  'a store of one’s own': {
    ...{ region: 'us-east-1', credentials, forcePathStyle: true },
    endpoint: 'http://127.0.0.1:9000',
  },
  'a store below a path': {
    ...{ region: 'us-east-1', credentials, forcePathStyle: true },
    endpoint: 'https://store.example.org/s3',
  },
  'temporary credentials': {
    region: 'eu-central-1',
    credentials: { ...credentials, sessionToken: 'token/+=' },
  },
  'checksums only where required': {
    ...{ region: 'eu-central-1', credentials },
    responseChecksumValidation: 'WHEN_REQUIRED',
  },
}

const bySdk = (client: S3Client, bucket: string, key: string) =>
  getSignedUrl(
    client,
    new GetObjectCommand({
      Bucket: bucket,
      Key: key,
      ResponseContentType: contentType,
      ResponseContentDisposition: `attachment; filename="${options.fileName}"`,
    }),
    { expiresIn: options.ttlSeconds, signingDate: new Date() },
  )

describe('a link', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 2, 3, 4, 6) }))
  afterEach(() => vi.useRealTimers())

  it.each(Object.keys(clients))('is the one that the SDK would sign: %s', async (name) => {
    for (const bucket of ['artifacts', 'with.dots']) {
      const client = new S3Client(clients[name]!)
      const sign = createLinkSigner(client, bucket)
      for (const key of keys) {
        const { url } = await sign(key, options)
        expect(new URL(url)).toEqual(new URL(await bySdk(client, bucket, key)))
        expect(url).toBe(await bySdk(client, bucket, key))
      }
      client.destroy()
    }
  })

  it('of a bucket that is not signed in the ordinary way is signed by the SDK', async () => {
    const client = new S3Client({ region: 'us-east-1', credentials })
    const bucket = 'arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap'
    // it has no signer for that, and says so instead of signing what no store would take
    await expect(createLinkSigner(client, bucket)('a.json', options)).rejects.toThrow(/sigv4a/i)
    client.destroy()
  })

  it('is the same for a hundredth of its life, and has 99 % of it before it', async () => {
    const client = new S3Client({ region: 'us-east-1', credentials })
    const sign = createLinkSigner(client, 'artifacts')
    const hour = { ...options, ttlSeconds: 3600 }
    const first = await sign('a.json', hour)
    const others = [
      await sign('b.json', hour),
      await sign('a.json', { ...hour, fileName: 'other' }),
      await sign('a.json', { ...hour, contentType: 'text/plain' }),
      await sign('a.json', { ...hour, ttlSeconds: 60 }),
    ]
    expect(new Set([first, ...others].map(({ url }) => url)).size).toBe(5)
    const urls = new Set<string>()
    for (let second = 0; second < 144; second++) {
      const { url, expiresAt } = await sign('a.json', hour)
      urls.add(url)
      const leftMs = expiresAt.getTime() - Date.now()
      expect(leftMs).toBeGreaterThan(3600 * 990)
      expect(leftMs).toBeLessThanOrEqual(3600 * 1000)
      vi.advanceTimersByTime(1000)
    }
    expect(urls.size).toBe(5)
    client.destroy()
  })

  it('is signed by the credentials of the moment', async () => {
    let accessKeyId = 'FIRST'
    const client = new S3Client({
      region: 'us-east-1',
      credentials: () => Promise.resolve({ ...credentials, accessKeyId, expiration: new Date() }),
    })
    const sign = createLinkSigner(client, 'artifacts')
    expect((await sign('a.json', options)).url).toContain('FIRST')
    accessKeyId = 'SECOND'
    expect((await sign('a.json', options)).url).toContain('SECOND')
    client.destroy()
  })
})
