import { GetObjectTaggingCommand } from '@aws-sdk/client-s3'
import { expect, inject, it, onTestFinished } from 'vitest'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createS3Client } from '../../../src/s3/client.ts'
import type { ObjectSettings } from '../../../src/s3/object-settings.ts'
import { createTestBucket, stackS3Settings } from '../../support/bucket.ts'
import { chunksOf } from '../../support/chunks.ts'
import { describeWith } from '../../support/describe-with.ts'

const contentType = 'application/json'
const linkOptions = { ttlSeconds: 60, fileName: 'services.json', contentType }
const all: ObjectSettings = {
  ...{ encryption: 'aws:kms', kmsKeyId: 'alias/exports', storageClass: 'STANDARD_IA' },
  ...{ tags: 'team=a&kind=export%20of%20services', bucketOwner: '123456789012' },
}

interface Sent {
  readonly command: string
  readonly headers: Readonly<Record<string, string>>
}

/** A client of which nothing is sent: what it would have sent is kept. */
function recordingClient(settings: ObjectSettings) {
  const client = createS3Client({ ...stackS3Settings(), ...settings })
  onTestFinished(() => client.destroy())
  const sent: Sent[] = []
  client.middlewareStack.add(
    (_next, { commandName = '' }) =>
      (args) => {
        const { headers } = args.request as { headers: Record<string, string> }
        sent.push({ command: commandName, headers })
        const response = { statusCode: 200, headers: {} }
        const output = { $metadata: {}, UploadId: 'u', ETag: '"e"', ContentLength: 1 }
        return Promise.resolve({ response, output })
      },
    { step: 'finalizeRequest', priority: 'high' },
  )
  return { client, sent }
}

async function putBoth(settings: ObjectSettings) {
  const { client, sent } = recordingClient(settings)
  const plan = () => ({ partBytes: 5, maxBytes: 50 })
  const store = createArtifactStore({
    client,
    bucket: 'b',
    plan,
    lookPausesMs: { completion: [], put: [] },
  })
  onTestFinished(() => store.close())
  const { signal } = new AbortController()
  for (const bytes of [1, 12]) {
    const chunks = chunksOf(Buffer.alloc(bytes))
    // it confirms a size that was made up
    await store.put(`k${bytes}`, chunks, { contentType, signal }).catch(() => undefined)
  }
  await store.copy('k1', 'copied')
  const { url } = await store.link('k', linkOptions)
  return { sent, url }
}

const amz = ({ headers }: Sent) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) =>
      /^x-amz-(server|tagging|storage|expected)/i.test(name),
    ),
  )

it('every object is asked for as the settings say, and every request of the owner alone', async () => {
  const { sent, url } = await putBoth(all)
  const begun = sent.filter(({ command }) =>
    /^(CreateMultipart|PutObject|CopyObject)/.test(command),
  )
  expect(new Set(begun.map(({ command }) => command)).size).toBe(3)
  for (const request of begun) {
    expect(amz(request)).toEqual({
      ...(request.command === 'CopyObjectCommand' ? { 'x-amz-tagging-directive': 'REPLACE' } : {}),
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'alias/exports',
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-tagging': 'team=a&kind=export%20of%20services',
      'x-amz-expected-bucket-owner': '123456789012',
    })
  }
  const others = sent.filter((request) => !begun.includes(request))
  expect(others.length).toBeGreaterThan(2)
  for (const request of others) {
    expect(amz(request)).toEqual({ 'x-amz-expected-bucket-owner': '123456789012' })
  }
  expect(url).not.toMatch(/owner|tagging|encryption/i)
})

it('nothing is said where nothing is set', async () => {
  const { sent } = await putBoth({})
  expect(sent.length).toBeGreaterThan(4)
  for (const request of sent) expect(amz(request)).toEqual({})
})

const { missing, starter } = inject('radosgw')
describeWith('radosgw', missing, 'a store that knows tags', () => {
  it('keeps them with the object, and takes them for an upload in parts', async () => {
    const endpoint = await (await fetch(starter)).text()
    const { settings } = await createTestBucket(onTestFinished, endpoint)
    const tags = 'team=a&kind=export%20of%20services'
    const client = createS3Client({ ...settings, tags, storageClass: 'STANDARD' })
    onTestFinished(() => client.destroy())
    const store = createArtifactStore({ client, bucket: settings.bucket })
    onTestFinished(() => store.close())
    const { signal } = new AbortController()
    for (const bytes of [10, 9 * 1024 * 1024]) {
      const key = `k${bytes}`
      await store.put(key, chunksOf(Buffer.alloc(bytes)), { contentType, signal })
      expect((await fetch((await store.link(key, linkOptions)).url)).status).toBe(200)
      // this version leaves out those of an upload in parts
      if (bytes > 1000) continue
      const { TagSet = [] } = await client.send(
        new GetObjectTaggingCommand({ Bucket: settings.bucket, Key: key }),
      )
      expect(TagSet.map(({ Key, Value }) => `${Key}=${Value}`).sort()).toEqual([
        'kind=export of services',
        'team=a',
      ])
    }
  })
})
