import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { assertUnclaimed } from '../../../src/embedded/s3/claim.ts'
import { startS3Server } from '../../../src/embedded/s3/server.ts'
import {
  bucket as Bucket,
  clientOf,
  codeOf,
  MiB,
  noise,
  send,
  sendSigned,
  setup,
  sign,
  until,
} from './setup.ts'

const Key = '../k'
const put = { method: 'PUT', path: `/${Bucket}/k` }

describe('a restart', () => {
  it('keeps buckets, objects and open uploads', async () => {
    const { client, server, dir } = await setup()
    const Metadata = { rows: '3' }
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'bytes', Metadata }))
    const begun = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'up' }))
    const upload = { Bucket, Key: 'up', UploadId: begun.UploadId }
    const part = { ...upload, PartNumber: 1, Body: 'one' }
    const { ETag } = await client.send(new UploadPartCommand(part))
    await server.close()
    const { client: next } = await setup({ dir, makeBucket: false })
    const got = await next.send(new GetObjectCommand({ Bucket, Key }))
    expect(got.Metadata).toEqual(Metadata)
    expect(await got.Body!.transformToString()).toBe('bytes')
    const listed = await next.send(new ListPartsCommand(upload))
    expect(listed.Parts).toMatchObject([{ PartNumber: 1, ETag, Size: 3 }])
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    await next.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }))
  })

  it('removes what a crash left, and nothing else', async () => {
    const { client, server, dir, blobs } = await setup()
    await client.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: 'whole' }))
    const kept = blobs()
    const half = { Bucket, Key: 'half', Body: 'half' }
    await client.send(new PutObjectCommand(half))
    await server.close()
    truncateSync(
      join(
        dir,
        'blobs',
        blobs().find((id) => !kept.includes(id))!,
      ),
      2,
    )
    writeFileSync(join(dir, 'blobs', 'nobody-names-me'), 'x')
    writeFileSync(join(dir, 'tmp', 'record'), '{')
    writeFileSync(join(dir, 'buckets', Bucket, 'objects', 'torn.json'), '{"key":')
    mkdirSync(join(dir, 'buckets', Bucket, 'uploads', 'begun'))
    mkdirSync(join(dir, 'buckets', 'begun', 'objects'), { recursive: true })
    const { client: next } = await setup({ dir, makeBucket: false })
    const whole = await next.send(new GetObjectCommand({ Bucket, Key: 'whole' }))
    expect(await whole.Body!.transformToString()).toBe('whole')
    await expect(next.send(new GetObjectCommand({ Bucket, Key: 'half' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    })
    expect(blobs()).toEqual(kept)
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
    expect(readdirSync(join(dir, 'buckets'))).toEqual([Bucket])
    expect(readdirSync(join(dir, 'buckets', Bucket, 'objects'))).toHaveLength(1)
    expect(readdirSync(join(dir, 'buckets', Bucket, 'uploads'))).toEqual([])
  })

  it('ends an upload whose object is there already', async () => {
    const { client, server, dir } = await setup()
    const begun = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const upload = { Bucket, Key, UploadId: begun.UploadId }
    const part = { ...upload, PartNumber: 1, Body: 'one' }
    const { ETag } = await client.send(new UploadPartCommand(part))
    const uploadDir = join(dir, 'buckets', Bucket, 'uploads', begun.UploadId!)
    const records = readdirSync(uploadDir).map((name) => {
      const path = join(uploadDir, name)
      return { path, text: readFileSync(path, 'utf8') }
    })
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    await client.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload }))
    await server.close()
    // as a crash between the commit and its tidying would leave it
    mkdirSync(uploadDir)
    for (const { path, text } of records) writeFileSync(path, text)
    const { client: next } = await setup({ dir, makeBucket: false })
    const lost = next.send(new ListPartsCommand(upload))
    await expect(lost).rejects.toMatchObject({ name: 'NoSuchUpload' })
    const got = await next.send(new GetObjectCommand({ Bucket, Key }))
    expect(await got.Body!.transformToString()).toBe('one')
  })

  it('finds files that only their owner may read', async () => {
    const { client, dir } = await setup()
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'bytes' }))
    for (const name of readdirSync(dir, { recursive: true }).map(String)) {
      const stat = statSync(join(dir, name))
      expect(stat.mode & 0o777, name).toBe(stat.isDirectory() ? 0o700 : 0o600)
    }
  })
})

describe('a folder', () => {
  const account = { accessKeyId: 'a', secretAccessKey: 'b' }

  it('serves one server at a time, and the next waits for the last to end', async () => {
    const { server, dir } = await setup()
    const second = startS3Server({ dir, ...account })
    await server.close()
    await (await second).close()
    expect(existsSync(join(dir, 'server.json'))).toBe(false)
  })

  it('is refused while another server works on it, but not after a crash', async () => {
    const { server, dir } = await setup()
    const refusal = `Another embedded S3 server, at ${server.url}`
    await expect(assertUnclaimed(dir, { patienceMs: 0 })).rejects.toThrow(refusal)
    await server.close()
    writeFileSync(join(dir, 'server.json'), JSON.stringify({ url: server.url, instance: 'dead' }))
    await (await startS3Server({ dir, ...account })).close()
  })
})

describe('a client that leaves in the middle of a body', () => {
  it('leaves nothing', async () => {
    const { server, dir, blobs } = await setup()
    const { headers } = sign(server.url, { ...put, payloadHash: 'UNSIGNED-PAYLOAD' })
    const { hostname, port } = new URL(server.url)
    const request = httpRequest({
      ...{ hostname, port, ...put, agent: false },
      headers: { ...headers, 'content-length': String(10 * MiB) },
    })
    request.on('error', () => undefined)
    request.write(noise(2 * MiB))
    await until(() => blobs().some((id) => statSync(join(dir, 'blobs', id)).size > MiB))
    request.destroy()
    await until(() => blobs().length === 0)
    const answer = await sendSigned(server.url, { path: put.path })
    expect([answer.status, codeOf(answer)]).toEqual([404, 'NoSuchKey'])
  })
})

describe('closing', () => {
  it('ends idle and active connections, and may be asked for twice', async () => {
    const { server, blobs } = await setup()
    const { headers } = sign(server.url, { ...put, payloadHash: 'UNSIGNED-PAYLOAD' })
    const { hostname, port } = new URL(server.url)
    const active = httpRequest({
      ...{ hostname, port, ...put, agent: false },
      headers: { ...headers, 'content-length': '1000' },
    })
    const activeEnded = new Promise((resolve) => active.on('error', resolve))
    active.write('x')
    const idle = connect(Number(port), hostname)
    const idleEnded = new Promise((resolve) => idle.on('close', resolve))
    await until(() => blobs().length === 1)
    await Promise.all([server.close(), server.close()])
    await Promise.all([activeEnded, idleEnded])
    expect(blobs()).toEqual([])
  })
})

describe('a client that asks before it sends', () => {
  function ask(url: string, raw: { method: string; path: string; secretAccessKey?: string }) {
    const body = noise(3 * MiB)
    const { headers } = sign(url, { ...raw, body })
    return new Promise<{ status: number; invited: boolean }>((resolve, reject) => {
      const { hostname, port } = new URL(url)
      const { method, path } = raw
      const asking = { ...headers, expect: '100-continue', 'content-length': String(body.length) }
      const request = httpRequest({ hostname, port, method, path, headers: asking, agent: false })
      let invited = false
      request.on('continue', () => {
        invited = true
        request.end(body)
      })
      request.on('response', (response) => {
        response.resume()
        response.on('end', () => resolve({ status: response.statusCode ?? 0, invited }))
      })
      request.on('error', reject)
      request.flushHeaders()
    })
  }

  it('is invited, or refused before it has sent anything', async () => {
    const { server } = await setup()
    expect(await ask(server.url, put)).toEqual({ status: 200, invited: true })
    const forged = { ...put, secretAccessKey: 'guess' }
    expect(await ask(server.url, forged)).toEqual({ status: 403, invited: false })
    const nowhere = { ...put, path: '/no-such-bucket/k' }
    expect(await ask(server.url, nowhere)).toEqual({ status: 404, invited: false })
  })

  it('by the SDK gets its answer too', async () => {
    const { server } = await setup()
    const client = clientOf(server.url)
    const Body = noise(6 * MiB)
    const missing = new PutObjectCommand({ Bucket: 'no-such-bucket', Key, Body })
    await expect(client.send(missing)).rejects.toMatchObject({ name: 'NoSuchBucket' })
    await client.send(new PutObjectCommand({ Bucket, Key, Body }))
  })
})

describe('a body', () => {
  it('needs a length, and one that a single upload may have', async () => {
    const { server } = await setup()
    const unsigned = { ...put, payloadHash: 'UNSIGNED-PAYLOAD' }
    const { headers } = sign(server.url, unsigned)
    const chunked = { ...headers, 'transfer-encoding': 'chunked' }
    const endless = await send(server.url, { ...put, headers: chunked, body: 'x' })
    expect([endless.status, codeOf(endless)]).toEqual([411, 'MissingContentLength'])
    const huge = {
      ...headers,
      expect: '100-continue',
      'content-length': String(5 * 1024 * MiB + 1),
    }
    const answer = await send(server.url, { ...put, headers: huge })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'EntityTooLarge'])
  })
})
