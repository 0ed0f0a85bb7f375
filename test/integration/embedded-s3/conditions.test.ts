import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { bucket as Bucket, sendSigned, setup } from './setup.ts'

const Key = 'k'
const failed = { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } }
const unchanged = { $metadata: { httpStatusCode: 304 } }

describe('a conditional write', () => {
  it('with If-None-Match * makes an object and never replaces one', async () => {
    const { client, blobs } = await setup()
    const put = (Body: string) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' }))
    await put('first')
    await expect(put('second')).rejects.toMatchObject(failed)
    const got = await client.send(new GetObjectCommand({ Bucket, Key }))
    expect(await got.Body!.transformToString()).toBe('first')
    expect(blobs()).toHaveLength(1)
  })

  it('has one winner among many at once', async () => {
    const { client, blobs } = await setup()
    const put = (Body: string) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' }))
    const all = await Promise.allSettled(Array.from({ length: 20 }, (_, n) => put(`${n}`)))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(blobs()).toHaveLength(1)
  })

  it('with If-Match replaces exactly what it names', async () => {
    const { client } = await setup()
    const put = (Body: string, IfMatch?: string) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body, IfMatch }))
    await expect(put('x', '"none"')).rejects.toMatchObject({ name: 'NoSuchKey' })
    const { ETag } = await put('one')
    await expect(put('two', '"other"')).rejects.toMatchObject(failed)
    await put('two', ETag)
  })
})

describe('a conditional read', () => {
  it('answers 412 or 304 by entity tag and by date', async () => {
    const { client } = await setup()
    const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    const get = (conditions: object) =>
      client.send(new GetObjectCommand({ Bucket, Key, ...conditions }))
    const past = new Date(Date.now() - 3_600_000)
    const future = new Date(Date.now() + 3_600_000)
    await get({ IfMatch: ETag })
    await get({ IfNoneMatch: '"other"' })
    await get({ IfModifiedSince: past })
    await get({ IfUnmodifiedSince: future })
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject(failed)
    await expect(get({ IfUnmodifiedSince: past })).rejects.toMatchObject(failed)
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject(unchanged)
    await expect(get({ IfModifiedSince: future })).rejects.toMatchObject(unchanged)
    await get({ IfMatch: ETag, IfUnmodifiedSince: past })
    await get({ IfNoneMatch: '"other"', IfModifiedSince: future })
    const head = new HeadObjectCommand({ Bucket, Key, IfMatch: '"other"' })
    await expect(client.send(head)).rejects.toMatchObject({ $metadata: { httpStatusCode: 412 } })
  })
})

describe('a range', () => {
  it.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-99', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ])('%s is answered in part', async (Range, text, ContentRange) => {
    const { client } = await setup()
    await client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }))
    const got = await client.send(new GetObjectCommand({ Bucket, Key, Range }))
    expect(got).toMatchObject({ ContentRange, $metadata: { httpStatusCode: 206 } })
    expect(await got.Body!.transformToString()).toBe(text)
  })

  it.each(['bytes=5-2', 'bytes=0-1,4-5', 'lines=1-2', 'bytes=-'])(
    '%s is answered with the whole',
    async (Range) => {
      const { client } = await setup()
      await client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }))
      const got = await client.send(new GetObjectCommand({ Bucket, Key, Range }))
      expect(got.$metadata.httpStatusCode).toBe(200)
      expect(await got.Body!.transformToString()).toBe('0123456789')
    },
  )

  it('behind the end is not satisfiable', async () => {
    const { server, client } = await setup()
    await client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }))
    for (const range of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
      const answer = await sendSigned(server.url, { path: `/${Bucket}/${Key}`, headers: { range } })
      expect(answer.status).toBe(416)
      expect(answer.headers['content-range']).toBe('bytes */10')
      expect(answer.text).toContain('<Code>InvalidRange</Code>')
    }
  })

  it('under If-Range is only served of the version that it began with', async () => {
    const { server, client } = await setup()
    const { ETag } = await client.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }))
    const get = (validator: string) =>
      sendSigned(server.url, {
        path: `/${Bucket}/${Key}`,
        headers: { range: 'bytes=8-', 'if-range': validator },
      })
    expect(await get(ETag!)).toMatchObject({ status: 206, text: '89' })
    expect(await get('"other"')).toMatchObject({ status: 200, text: '0123456789' })
  })
})
