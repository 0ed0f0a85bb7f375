import {
  ListObjectsCommand,
  ListObjectsV2Command,
  paginateListObjectsV2,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { bucket as Bucket, sendSigned, setup } from './setup.ts'

async function fill(client: S3Client, keys: readonly string[]): Promise<void> {
  await Promise.all(
    keys.map((Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))),
  )
}

describe('a listing', () => {
  it('is in order of UTF-8 bytes', async () => {
    const { client } = await setup()
    const keys = ['Z', 'a', 'a/', 'a/b', 'a0', 'é', '\u{ffee}', '\u{1f600}']
    await fill(client, keys.toReversed())
    const listed = await client.send(new ListObjectsV2Command({ Bucket }))
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(keys)
    const bytes = keys.map((key) => Buffer.from(key))
    expect(bytes.toSorted((a, b) => a.compare(b))).toEqual(bytes)
    expect(listed).toMatchObject({ KeyCount: 8, IsTruncated: false })
    expect(listed.Contents?.[3]).toMatchObject({ Size: 3, StorageClass: 'STANDARD' })
  })

  it('comes in pages that lose and repeat nothing', async () => {
    const { client } = await setup()
    const keys = Array.from({ length: 25 }, (_, n) => `p/${String(n).padStart(2, '0')} +&`)
    await fill(client, [...keys, 'other'])
    const seen: (string | undefined)[] = []
    let pages = 0
    const pager = { client, pageSize: 10 }
    for await (const page of paginateListObjectsV2(pager, { Bucket, Prefix: 'p/' })) {
      pages += 1
      seen.push(...(page.Contents ?? []).map(({ Key }) => Key))
    }
    expect(seen).toEqual(keys)
    expect(pages).toBe(3)
  })

  it('rolls up what lies below a delimiter, across pages too', async () => {
    const { client } = await setup()
    await fill(client, ['a/1', 'a/2', 'b', 'c/x/1', 'c/y', 'd'])
    const entries: (string | undefined)[] = []
    const pager = { client, pageSize: 1 }
    for await (const page of paginateListObjectsV2(pager, { Bucket, Delimiter: '/' })) {
      entries.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix))
      entries.push(...(page.Contents ?? []).map(({ Key }) => Key))
    }
    expect(entries).toEqual(['a/', 'b', 'c/', 'd'])
    const inside = new ListObjectsV2Command({ Bucket, Delimiter: '/', Prefix: 'c/' })
    expect(await client.send(inside)).toMatchObject({
      CommonPrefixes: [{ Prefix: 'c/x/' }],
      Contents: [{ Key: 'c/y' }],
    })
  })

  it('starts after a key, and may be asked for nothing', async () => {
    const { client } = await setup()
    await fill(client, ['a', 'b', 'c'])
    const after = await client.send(new ListObjectsV2Command({ Bucket, StartAfter: 'a' }))
    expect(after.Contents?.map(({ Key }) => Key)).toEqual(['b', 'c'])
    const none = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }))
    expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false })
  })

  it('is encoded on request, so that every key survives XML', async () => {
    const { client, server } = await setup()
    await fill(client, ['a\u0001b &<>+é'])
    const EncodingType = 'url'
    const listed = await client.send(new ListObjectsV2Command({ Bucket, EncodingType }))
    expect(listed.Contents?.[0]?.Key).toBe('a%01b%20%26%3C%3E%2B%C3%A9')
    const raw = await sendSigned(server.url, { path: `/${Bucket}?list-type=2` })
    expect(raw.text).toContain('<Key>a&#1;b &amp;&lt;&gt;+é</Key>')
  })

  it('of the first version goes on from a key', async () => {
    const { client } = await setup()
    await fill(client, ['a/1', 'a/2', 'b', 'c'])
    const page = { Bucket, MaxKeys: 2, Delimiter: '/' }
    const first = await client.send(new ListObjectsCommand(page))
    expect(first).toMatchObject({ IsTruncated: true, NextMarker: 'b' })
    const rest = await client.send(new ListObjectsCommand({ ...page, Marker: first.NextMarker }))
    expect(rest).toMatchObject({ IsTruncated: false, Contents: [{ Key: 'c' }] })
  })

  it('refuses a token that it did not give, and a number that is none', async () => {
    const { server } = await setup()
    for (const query of ['continuation-token=%21%21', 'max-keys=-1', 'encoding-type=x']) {
      const answer = await sendSigned(server.url, { path: `/${Bucket}?list-type=2&${query}` })
      expect(answer).toMatchObject({ status: 400 })
      expect(answer.text).toContain('<Code>InvalidArgument</Code>')
    }
  })
})
