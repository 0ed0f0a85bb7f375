import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  paginateListParts,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { describe, expect, it } from 'vitest'
import { bucket as Bucket, MiB, noise, setup } from './setup.ts'

const Key = 'big.json'

async function begin(client: S3Client, key = Key): Promise<string> {
  const command = new CreateMultipartUploadCommand({ Bucket, Key: key, ContentType: 'text/plain' })
  return (await client.send(command)).UploadId!
}

async function sendPart(
  client: S3Client,
  UploadId: string,
  PartNumber: number,
  Body: Buffer | string,
): Promise<CompletedPart> {
  const part = { Bucket, Key, UploadId, PartNumber, Body }
  const { ETag } = await client.send(new UploadPartCommand(part))
  return { PartNumber, ETag }
}

function complete(client: S3Client, UploadId: string, Parts: CompletedPart[], more: object = {}) {
  const MultipartUpload = { Parts }
  return client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload, ...more }),
  )
}

describe('a multipart upload', () => {
  it('joins its parts in order of their numbers, whatever the order of their coming', async () => {
    const { client, dir } = await setup()
    const bodies = [noise(5 * MiB), noise(6 * MiB), noise(1000)]
    const UploadId = await begin(client)
    const parts: CompletedPart[] = []
    for (const number of [3, 1, 2]) {
      parts[number - 1] = await sendPart(client, UploadId, number, bodies[number - 1]!)
    }
    const nothing = new HeadObjectCommand({ Bucket, Key })
    await expect(client.send(nothing)).rejects.toMatchObject({ name: 'NotFound' })
    const done = await complete(client, UploadId, parts)
    const md5s = bodies.map((body) => createHash('md5').update(body).digest())
    const etag = `"${createHash('md5').update(Buffer.concat(md5s)).digest('hex')}-3"`
    expect(done.ETag).toBe(etag)
    const whole = Buffer.concat(bodies)
    const got = await client.send(new GetObjectCommand({ Bucket, Key }))
    expect(got).toMatchObject({
      ETag: etag,
      ContentLength: whole.length,
      ContentType: 'text/plain',
    })
    expect(whole.equals(await got.Body!.transformToByteArray())).toBe(true)
    expect(readdirSync(join(dir, 'buckets', Bucket, 'uploads'))).toEqual([])
  })

  it('is read by ranges across its parts, and by part', async () => {
    const { client } = await setup()
    const bodies = [noise(5 * MiB), noise(5 * MiB), noise(10)]
    const UploadId = await begin(client)
    const parts = await Promise.all(
      bodies.map((body, index) => sendPart(client, UploadId, index + 1, body)),
    )
    await complete(client, UploadId, parts)
    const whole = Buffer.concat(bodies)
    const edge = 5 * MiB
    for (const [first, last] of [
      [edge - 2, edge + 1],
      [edge - 1, edge - 1],
      [edge, edge],
      [3, 2 * edge + 5],
      [2 * edge - 1, 2 * edge + 9],
    ] as const) {
      const Range = `bytes=${first}-${last}`
      const got = await client.send(new GetObjectCommand({ Bucket, Key, Range }))
      const bytes = Buffer.from(await got.Body!.transformToByteArray())
      expect(bytes.equals(whole.subarray(first, last + 1)), Range).toBe(true)
    }
    const head = await client.send(new HeadObjectCommand({ Bucket, Key, PartNumber: 3 }))
    expect(head).toMatchObject({ PartsCount: 3, ContentLength: 10 })
  })

  it('lists its parts in pages', async () => {
    const { client } = await setup()
    const UploadId = await begin(client)
    for (const number of [1, 2, 3, 7, 10_000]) await sendPart(client, UploadId, number, 'tiny')
    await sendPart(client, UploadId, 2, 'replaced')
    const seen: unknown[] = []
    const pager = { client, pageSize: 2 }
    for await (const page of paginateListParts(pager, { Bucket, Key, UploadId })) {
      seen.push((page.Parts ?? []).map(({ PartNumber, Size }) => [PartNumber, Size]))
    }
    expect(seen).toEqual([
      [
        [1, 4],
        [2, 8],
      ],
      [
        [3, 4],
        [7, 4],
      ],
      [[10_000, 4]],
    ])
  })

  it('is listed with others in pages, by prefix and delimiter', async () => {
    const { client } = await setup()
    const ids: string[] = []
    for (const key of ['a/1', 'a/1', 'a/2', 'b']) ids.push(await begin(client, key))
    const list = (more: object) =>
      client.send(new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, ...more }))
    const seen: (string | undefined)[] = []
    let page = await list({})
    for (;;) {
      seen.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId))
      if (page.IsTruncated !== true) break
      page = await list({
        KeyMarker: page.NextKeyMarker,
        UploadIdMarker: page.NextUploadIdMarker,
      })
    }
    expect(seen).toHaveLength(4)
    expect(new Set(seen)).toEqual(new Set(ids))
    const below = await list({ Prefix: 'a/', MaxUploads: 10 })
    expect(below.Uploads?.map((upload) => upload.Key)).toEqual(['a/1', 'a/1', 'a/2'])
    const rolled = await list({ Delimiter: '/', MaxUploads: 10 })
    expect(rolled).toMatchObject({ CommonPrefixes: [{ Prefix: 'a/' }], Uploads: [{ Key: 'b' }] })
  })

  it('leaves nothing on disk when it is aborted', async () => {
    const { client, dir, blobs } = await setup()
    const UploadId = await begin(client)
    await sendPart(client, UploadId, 1, noise(100_000))
    expect(blobs()).toHaveLength(1)
    const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId })
    expect((await client.send(abort)).$metadata.httpStatusCode).toBe(204)
    expect(blobs()).toEqual([])
    expect(readdirSync(join(dir, 'buckets', Bucket, 'uploads'))).toEqual([])
    const gone = { name: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } }
    await expect(client.send(abort)).rejects.toMatchObject(gone)
    await expect(sendPart(client, UploadId, 2, 'late')).rejects.toMatchObject(gone)
    await expect(
      client.send(new ListPartsCommand({ Bucket, Key, UploadId })),
    ).rejects.toMatchObject(gone)
    expect(blobs()).toEqual([])
  })

  it('is not completed with a list of parts that it does not bear out', async () => {
    const { client } = await setup()
    const UploadId = await begin(client)
    const one = await sendPart(client, UploadId, 1, noise(1000))
    const two = await sendPart(client, UploadId, 2, noise(1000))
    const name = (code: string) => ({ name: code })
    const attempt = (parts: CompletedPart[]) => complete(client, UploadId, parts)
    await expect(attempt([two, one])).rejects.toMatchObject(name('InvalidPartOrder'))
    await expect(attempt([one, one])).rejects.toMatchObject(name('InvalidPartOrder'))
    await expect(attempt([{ ...one, ETag: '"0"' }])).rejects.toMatchObject(name('InvalidPart'))
    await expect(attempt([one, { ...two, PartNumber: 3 }])).rejects.toMatchObject(
      name('InvalidPart'),
    )
    await expect(attempt([one, two])).rejects.toMatchObject(name('EntityTooSmall'))
    await expect(attempt([])).rejects.toMatchObject(name('MalformedXML'))
    await expect(sendPart(client, UploadId, 10_001, 'x')).rejects.toMatchObject(
      name('InvalidArgument'),
    )
    await attempt([two])
  })

  it('drops the parts that are not listed when it is completed', async () => {
    const { client, blobs } = await setup()
    const UploadId = await begin(client)
    await sendPart(client, UploadId, 1, 'unused')
    const two = await sendPart(client, UploadId, 2, 'used')
    await complete(client, UploadId, [two])
    expect(blobs()).toHaveLength(1)
  })

  it('does not replace an object under If-None-Match, and stays open', async () => {
    const { client } = await setup()
    const UploadId = await begin(client)
    const parts = [await sendPart(client, UploadId, 1, 'late')]
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'first' }))
    await expect(complete(client, UploadId, parts, { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    })
    await client.send(new ListPartsCommand({ Bucket, Key, UploadId }))
    await complete(client, UploadId, parts)
  })

  it('may be completed again by who lost the answer, but not be aborted', async () => {
    const { client } = await setup()
    const UploadId = await begin(client)
    const parts = [await sendPart(client, UploadId, 1, 'bytes')]
    const first = await complete(client, UploadId, parts, { IfNoneMatch: '*' })
    const again = await complete(client, UploadId, parts, { IfNoneMatch: '*' })
    expect(again.ETag).toBe(first.ETag)
    const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId })
    await expect(client.send(abort)).rejects.toMatchObject({ name: 'NoSuchUpload' })
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'newer' }))
    await expect(complete(client, UploadId, parts)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  it('is what lib-storage makes of a large body', async () => {
    const { client } = await setup()
    const Body = noise(12 * MiB + 1)
    const upload = new Upload({ client, params: { Bucket, Key, Body }, partSize: 5 * MiB })
    const { ETag } = await upload.done()
    expect(ETag).toMatch(/-3"$/)
    const got = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))
    expect(Body.equals(await got.Body!.transformToByteArray())).toBe(true)
  })
})
