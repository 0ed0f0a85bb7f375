import { randomBytes } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createS3Client } from '../../../src/s3/client.ts'
import { readObject } from '../../../src/s3/read-object.ts'
import { createTestBucket } from '../../support/bucket.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'
import { createFaultProxy } from '../../support/fault-proxy.ts'

const { signal } = new AbortController()
const body = randomBytes(1_000_000)
const cut = { afterBytes: 300_000, then: 'reset' } as const

async function collect(chunks: AsyncIterable<Buffer> | undefined): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const chunk of chunks ?? []) all.push(Buffer.from(chunk))
  return Buffer.concat(all)
}

describeOnS3('an object that is read', (endpoint) => {
  it('comes whole, and is undefined where there is none', async () => {
    const bucket = await createTestBucket(onTestFinished, await endpoint())
    const { client, settings } = bucket
    await bucket.putObject('a', body)
    await bucket.putObject('empty', Buffer.alloc(0))
    const read = (key: string) => readObject(client, settings.bucket, key, { signal })
    expect((await collect(await read('a'))).equals(body)).toBe(true)
    expect(await collect(await read('empty'))).toHaveLength(0)
    expect(await read('b')).toBeUndefined()
    const elsewhere = readObject(client, 'longhaul-no-such-bucket', 'a', { signal })
    await expect(elsewhere).rejects.toMatchObject({ code: 'STORE_NO_BUCKET' })
  })
})

describe('an object that is read over connections that break', () => {
  async function setup() {
    const bucket = await createTestBucket(onTestFinished)
    const proxy = await createFaultProxy(bucket.settings.endpoint ?? '', onTestFinished)
    const client = createS3Client({ ...bucket.settings, endpoint: proxy.url })
    onTestFinished(() => client.destroy())
    await bucket.putObject('a', body)
    const read = (options = { signal }) => readObject(client, bucket.settings.bucket, 'a', options)
    return { bucket, proxy, read }
  }

  it('goes on behind the last byte', async () => {
    const { proxy, read } = await setup()
    proxy.plan((connection) => (connection <= 2 ? cut : undefined))
    expect((await collect(await read())).equals(body)).toBe(true)
    expect(proxy.connections()).toBe(3)
  })

  it('and is another one by then, is not continued with it', async () => {
    const { bucket, proxy, read } = await setup()
    proxy.plan((connection) => (connection === 1 ? cut : undefined))
    const chunks = await read()
    await bucket.putObject('a', randomBytes(1_000_000))
    await expect(collect(chunks)).rejects.toMatchObject({ code: 'STORE_REJECTED' })
  })

  it('fails when nothing more comes', async () => {
    const { proxy, read } = await setup()
    proxy.plan((connection) => ({ ...cut, afterBytes: connection === 1 ? 300_000 : 0 }))
    await expect(collect(await read())).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('is given up with its signal', async () => {
    const { proxy, read } = await setup()
    proxy.plan(() => ({ afterBytes: 300_000, then: 'stall' }))
    const giveUp = new AbortController()
    const chunks = await read({ signal: giveUp.signal })
    const collecting = collect(chunks)
    giveUp.abort(new Error('enough'))
    await expect(collecting).rejects.toThrow('enough')
  })
})
