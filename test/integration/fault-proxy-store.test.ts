import { once } from 'node:events'
import http from 'node:http'
import type net from 'node:net'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/postgres/pool.ts'
import { createTestBucket } from '../support/bucket.ts'
import { createTestDatabase } from '../support/database.ts'
import { createFaultProxy } from '../support/fault-proxy.ts'

describe('a store behind the proxy', () => {
  async function startStore() {
    const bucket = await createTestBucket(onTestFinished)
    const { endpoint = '', region = '', bucket: Bucket } = bucket.settings
    const proxy = await createFaultProxy(endpoint, onTestFinished)
    const client = new S3Client({
      endpoint: proxy.url,
      region,
      forcePathStyle: true,
      maxAttempts: 1,
    })
    onTestFinished(() => client.destroy())
    const put = (Body: string | Buffer, Key = 'a') =>
      client.send(new PutObjectCommand({ Bucket, Key, Body }))
    return { bucket, Bucket, proxy, client, put }
  }

  it.each([
    ['InternalError', 500],
    ['ServiceUnavailable', 503],
    ['SlowDown', 503],
  ] as const)(
    'answers %s, also on connections that are kept, and to large bodies',
    async (answer, status) => {
      const { bucket, proxy, put } = await startStore()
      await put('kept')
      proxy.strike({ then: 'answer', answer })
      const refusal = { name: answer, $metadata: { httpStatusCode: status } }
      await expect(put('small')).rejects.toMatchObject(refusal)
      await expect(put(Buffer.alloc(9_000_000, 'x'))).rejects.toMatchObject(refusal)
      proxy.heal()
      await put('healed', 'b')
      expect(await bucket.keys()).toEqual(['a', 'b'])
    },
  )

  it('answers so many requests, and relays the next', async () => {
    const { proxy, client, Bucket, put } = await startStore()
    proxy.strike({ then: 'answer', answer: 'SlowDown', requests: 2 })
    for (let n = 0; n < 2; n++) await expect(put('no')).rejects.toMatchObject({ name: 'SlowDown' })
    await put('yes')
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'a' }))
    expect(await Body!.transformToString()).toBe('yes')
  })

  it('answers HEAD without a body, and leaves a request alone that is under way', async () => {
    const store = http.createServer((request, response) => {
      request.resume().on('end', () => response.end('whole'))
    })
    store.listen(0, '127.0.0.1')
    await once(store, 'listening')
    onTestFinished(() => new Promise<void>((resolve) => void store.close(() => resolve())))
    const { port } = store.address() as net.AddressInfo
    const proxy = await createFaultProxy(`http://127.0.0.1:${port}`, onTestFinished)
    const send = (method: string, headers = {}) =>
      http.request(proxy.url, { method, headers, agent: false })

    const slow = send('PUT', { 'content-length': 10 })
    const arrived = once(store, 'request')
    slow.write('12345')
    await arrived
    proxy.strike({ then: 'answer', answer: 'SlowDown' })
    const [refused] = (await once(send('HEAD').end(), 'response')) as [http.IncomingMessage]
    expect([refused.statusCode, refused.headers.connection]).toEqual([503, 'close'])
    refused.resume()
    slow.end('67890')
    const [relayed] = (await once(slow, 'response')) as [http.IncomingMessage]
    expect(relayed.statusCode).toBe(200)
    relayed.resume()
  })
})

it('PostgreSQL behind the proxy is cut off in the middle of its rows', async () => {
  const { url } = await createTestDatabase(onTestFinished)
  const proxy = await createFaultProxy(url, onTestFinished)
  const client = await connect(proxy.url, 'source database')
  onTestFinished(() => client.end())
  proxy.strike({ then: 'drop', afterBytes: 100_000 })
  const query = client.query(`select repeat('x', 1000) from generate_series(1, 1000)`)
  await expect(query).rejects.toThrow('Connection terminated unexpectedly')
})
