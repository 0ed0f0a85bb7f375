import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startS3Server } from '../../../src/embedded/s3/server.ts'
import {
  accessKeyId,
  bucket as Bucket,
  clientOf,
  noise,
  secretAccessKey,
  setup,
  temporaryFolder,
} from './setup.ts'

describe('an object of the embedded S3', () => {
  it('comes back with its bytes, headers and metadata', async () => {
    const { client } = await setup()
    const Body = noise(300_000)
    const put = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a/b.json',
        Body,
        ContentType: 'application/json',
        ContentEncoding: 'gzip',
        ContentDisposition: 'attachment; filename="b.json"',
        CacheControl: 'no-store',
        Metadata: { rows: '17', Name: 'a  b' },
      }),
    )
    const etag = `"${createHash('md5').update(Body).digest('hex')}"`
    expect(put.ETag).toBe(etag)
    const expected = {
      ETag: etag,
      ContentLength: Body.length,
      ContentType: 'application/json',
      ContentEncoding: 'gzip',
      ContentDisposition: 'attachment; filename="b.json"',
      CacheControl: 'no-store',
      AcceptRanges: 'bytes',
      Metadata: { rows: '17', name: 'a  b' },
    }
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'a/b.json' }))
    expect(got).toMatchObject(expected)
    expect(Body.equals(await got.Body!.transformToByteArray())).toBe(true)
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a/b.json' }))
    expect(head).toMatchObject(expected)
    expect(Date.now() - head.LastModified!.getTime()).toBeLessThan(10_000)
  })

  it('may have any key, and none of them leaves the folder', async () => {
    const outside = temporaryFolder()
    const { client } = await setup({ dir: join(outside, 'data') })
    const keys = [
      '../../../../etc/passwd',
      '..',
      '.',
      '/leading',
      'a//b',
      'a/',
      'a/./b/../c',
      '100% & <more> "quotes" \'too\' +plus+ ?q=1#hash',
      "!*'()",
      'naïve/日本語/😀',
      ' space ',
      'back\\slash',
      'percent%2Fencoded',
      'x'.repeat(1024),
    ]
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
    for (const Key of keys) {
      const got = await client.send(new GetObjectCommand({ Bucket, Key }))
      expect(await got.Body!.transformToString()).toBe(Key)
    }
    expect(readdirSync(outside)).toEqual(['data'])
    const names = readdirSync(join(outside, 'data'), { recursive: true }).map(String)
    expect(names.filter((name) => !/^[\w/.-]+$/.test(name) || name.includes('..'))).toEqual([])
    const tooLong = new PutObjectCommand({ Bucket, Key: 'é'.repeat(513), Body: 'x' })
    await expect(client.send(tooLong)).rejects.toMatchObject({ name: 'KeyTooLongError' })
  })

  it('may be empty', async () => {
    const { client } = await setup()
    await client.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: new Uint8Array() }))
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'empty' }))
    expect(got.ContentLength).toBe(0)
    expect(await got.Body!.transformToString()).toBe('')
    const range = new GetObjectCommand({ Bucket, Key: 'empty', Range: 'bytes=0-' })
    await expect(client.send(range)).rejects.toMatchObject({ name: 'InvalidRange' })
  })

  it('is replaced by the next one of its key, and its bytes go', async () => {
    const { client, blobs } = await setup()
    for (const Body of ['one', 'two', 'three']) {
      await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body }))
    }
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }))
    expect(await got.Body!.transformToString()).toBe('three')
    expect(blobs()).toHaveLength(1)
  })

  it('is read to its end by who began before it was deleted', async () => {
    const { client, blobs } = await setup()
    const Body = noise(20_000_000)
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body }))
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }))
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    expect(Body.equals(await got.Body!.transformToByteArray())).toBe(true)
    await expect.poll(blobs).toEqual([])
  })

  it('is deleted without a fuss when it is not there', async () => {
    const { client } = await setup()
    const gone = await client.send(new DeleteObjectCommand({ Bucket, Key: 'never was' }))
    expect(gone.$metadata.httpStatusCode).toBe(204)
    await expect(
      client.send(new GetObjectCommand({ Bucket, Key: 'never was' })),
    ).rejects.toMatchObject({ name: 'NoSuchKey', $metadata: { httpStatusCode: 404 } })
    await expect(
      client.send(new HeadObjectCommand({ Bucket, Key: 'never was' })),
    ).rejects.toMatchObject({ name: 'NotFound' })
  })

  it('is deleted together with others, odd keys included', async () => {
    const { client, blobs } = await setup()
    const keys = ['a', ' b ', 'c & <d>', '../e']
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
    const Objects = [...keys, 'absent'].map((Key) => ({ Key }))
    const deleted = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(deleted.Deleted?.map(({ Key }) => Key)).toEqual([...keys, 'absent'])
    expect(blobs()).toEqual([])
  })

  it('is copied, and outlives its source', async () => {
    const { client } = await setup()
    const Metadata = { rows: '1' }
    await client.send(new PutObjectCommand({ Bucket, Key: 'a b', Body: 'bytes', Metadata }))
    const CopySource = `${Bucket}/a%20b`
    await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }))
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a b' }))
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'copy' }))
    expect(await got.Body!.transformToString()).toBe('bytes')
    expect(got.Metadata).toEqual(Metadata)
  })
})

describe('a bucket of the embedded S3', () => {
  it('is made, found, listed and deleted once it is empty', async () => {
    const { client } = await setup()
    await client.send(new CreateBucketCommand({ Bucket: 'another.one' }))
    const { Buckets } = await client.send(new ListBucketsCommand({}))
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['another.one', Bucket])
    await client.send(new HeadBucketCommand({ Bucket }))
    const location = await client.send(new GetBucketLocationCommand({ Bucket }))
    expect(location.LocationConstraint).toBeFalsy()
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    const remove = new DeleteBucketCommand({ Bucket })
    await expect(client.send(remove)).rejects.toMatchObject({ name: 'BucketNotEmpty' })
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    await client.send(remove)
    await expect(client.send(remove)).rejects.toMatchObject({ name: 'NoSuchBucket' })
  })

  it('is made at the start when it is asked for and missing', async () => {
    const dir = temporaryFolder()
    const options = { dir, accessKeyId, secretAccessKey, buckets: [Bucket] }
    await (await startS3Server(options)).close()
    const again = await startS3Server(options)
    onTestFinished(() => again.close())
    await clientOf(again.url).send(new HeadBucketCommand({ Bucket }))
  })

  it('is not made twice, nor with a name that S3 would refuse', async () => {
    const { client } = await setup()
    const make = (name: string) => client.send(new CreateBucketCommand({ Bucket: name }))
    await expect(make(Bucket)).rejects.toMatchObject({ name: 'BucketAlreadyOwnedByYou' })
    for (const name of ['UPPER', 'a..b', 'xy', '-dash', '192.168.0.1', 'under_score']) {
      await expect(make(name)).rejects.toMatchObject({ name: 'InvalidBucketName' })
    }
  })

  it('is missed by name', async () => {
    const { client } = await setup({ makeBucket: false })
    const put = new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })
    await expect(client.send(put)).rejects.toMatchObject({ name: 'NoSuchBucket' })
  })
})

describe('what the embedded S3 lacks', () => {
  it('is refused by name instead of being ignored', async () => {
    const { client } = await setup()
    const Key = 'k'
    const lacking = { name: 'NotImplemented', $metadata: { httpStatusCode: 501 } }
    await expect(client.send(new GetObjectAclCommand({ Bucket, Key }))).rejects.toMatchObject(
      lacking,
    )
    const tagging = new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: [] } })
    await expect(client.send(tagging)).rejects.toMatchObject(lacking)
    const encrypted = new PutObjectCommand({
      Bucket,
      Key,
      Body: 'x',
      ServerSideEncryption: 'AES256',
    })
    await expect(client.send(encrypted)).rejects.toMatchObject(lacking)
  })
})
