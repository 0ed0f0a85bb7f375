import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type ChecksumAlgorithm,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { describe, expect, it } from 'vitest'
import { createCrc, joinCrcs } from '../../../src/embedded/s3/crc.ts'
import { bucket as Bucket, clientOf, codeOf, MiB, noise, sendSigned, setup } from './setup.ts'

const Key = 'k'
const ChecksumMode = 'ENABLED'

describe('a cyclic redundancy check', () => {
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
  ] as const)('%s has its published check value', (algorithm, value) => {
    const crc = createCrc(algorithm)
    crc.update(Buffer.from('12345'))
    crc.update(Buffer.from('6789'))
    expect(crc.digest().toString('hex')).toBe(value)
  })

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('%s is joined from parts', (algorithm) => {
    const crcOf = (bytes: Buffer) => {
      const crc = createCrc(algorithm)
      crc.update(bytes)
      return crc.digest()
    }
    const whole = noise(10_000)
    const parts = [whole.subarray(0, 4000), whole.subarray(4000, 8000), whole.subarray(8000)]
    const runs = parts.map((part) => ({ check: crcOf(part), bytes: part.length }))
    expect(joinCrcs(algorithm, runs)).toEqual(crcOf(whole))
  })
})

describe('a checksum', () => {
  it.each(['CRC32', 'CRC32C', 'SHA1', 'SHA256'] as const)(
    '%s is kept and given back on request',
    async (algorithm: ChecksumAlgorithm) => {
      const { client } = await setup()
      const Body = noise(1000)
      const put = new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: algorithm })
      const field = `Checksum${algorithm}` as 'ChecksumCRC32'
      const { [field]: value } = await client.send(put)
      expect(value).toBeTruthy()
      const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode }))
      expect(head).toMatchObject({ [field]: value, ChecksumType: 'FULL_OBJECT' })
      const plain = await client.send(new HeadObjectCommand({ Bucket, Key }))
      expect(plain[field]).toBeUndefined()
    },
  )

  it('sent behind a stream never becomes part of the object', async () => {
    const { client } = await setup()
    const bytes = noise(300_000)
    const chunks = Array.from({ length: 30 }, (_, n) =>
      bytes.subarray(n * 10_000, (n + 1) * 10_000),
    )
    const Body = Readable.from(chunks, { objectMode: false })
    const put = new PutObjectCommand({ Bucket, Key, Body, ContentLength: bytes.length })
    const { ChecksumCRC32 } = await client.send(put)
    expect(ChecksumCRC32).toBeTruthy()
    const got = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode }))
    expect(got.ContentEncoding).toBeUndefined()
    expect(bytes.equals(await got.Body!.transformToByteArray())).toBe(true)
  })

  it('is not sent at all under WHEN_REQUIRED, and not missed', async () => {
    const { server } = await setup()
    const client = clientOf(server.url, {
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
    const Body = noise(6 * MiB)
    await client.send(new PutObjectCommand({ Bucket, Key, Body }))
    const head = await client.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode }))
    expect(head.ChecksumType).toBeUndefined()
    const done = await new Upload({ client, params: { Bucket, Key, Body } }).done()
    expect(done.ETag).toMatch(/-2"$/)
  })

  it.each([
    ['content-md5', createHash('md5').update('other').digest('base64'), 'BadDigest'],
    ['content-md5', 'not base64', 'InvalidDigest'],
    ['x-amz-checksum-crc32', 'AAAAAA==', 'BadDigest'],
    ['x-amz-checksum-crc64nvme', 'AAAAAAAAAAA=', 'BadDigest'],
    ['x-amz-checksum-sha256', 'AAAA', 'BadDigest'],
    ['x-amz-trailer', 'x-amz-meta-late', 'InvalidRequest'],
  ])('%s: %s is refused with %s', async (name, value, code) => {
    const { server, blobs } = await setup()
    const put = { method: 'PUT', path: `/${Bucket}/k`, body: 'body' }
    const answer = await sendSigned(server.url, { ...put, headers: { [name]: value } })
    expect([answer.status, codeOf(answer)]).toEqual([400, code])
    expect(blobs()).toEqual([])
  })
})

describe('the checksum of a multipart object', () => {
  async function upload(ChecksumType: 'COMPOSITE' | 'FULL_OBJECT') {
    const { client } = await setup()
    const target = { Bucket, Key }
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32', ChecksumType }),
    )
    const bodies = [noise(5 * MiB), noise(100)]
    const Parts = []
    for (const [index, Body] of bodies.entries()) {
      const part = { ...target, UploadId, PartNumber: index + 1, Body }
      const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(part))
      Parts.push({ PartNumber: index + 1, ETag, ChecksumCRC32 })
    }
    const completion = { ...target, UploadId, MultipartUpload: { Parts } }
    return { client, completion, bodies, Parts }
  }

  it('is made of those of its parts', async () => {
    const { client, completion, Parts } = await upload('COMPOSITE')
    const [one, ...others] = Parts
    const wrong = { Parts: [{ ...one, ChecksumCRC32: 'AAAAAA==' }, ...others] }
    const missing = { Parts: Parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) }
    const attempt = (MultipartUpload: object) =>
      client.send(new CompleteMultipartUploadCommand({ ...completion, MultipartUpload }))
    await expect(attempt(wrong)).rejects.toMatchObject({ name: 'InvalidPart' })
    await expect(attempt(missing)).rejects.toMatchObject({ name: 'InvalidRequest' })
    const done = await client.send(new CompleteMultipartUploadCommand(completion))
    expect(done).toMatchObject({
      ChecksumType: 'COMPOSITE',
      ChecksumCRC32: expect.stringMatching(/-2$/) as string,
    })
  })

  it('may be that of the whole, and is then compared with the one stated', async () => {
    const { client, completion, bodies } = await upload('FULL_OBJECT')
    const crc = createCrc('CRC32')
    for (const body of bodies) crc.update(body)
    const ChecksumCRC32 = crc.digest().toString('base64')
    const attempt = (value: string) =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...completion,
          ChecksumType: 'FULL_OBJECT',
          ChecksumCRC32: value,
        }),
      )
    await expect(attempt('AAAAAA==')).rejects.toMatchObject({ name: 'BadDigest' })
    expect(await attempt(ChecksumCRC32)).toMatchObject({ ChecksumCRC32 })
    const got = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode }))
    expect(got).toMatchObject({ ChecksumCRC32, ChecksumType: 'FULL_OBJECT' })
    expect(Buffer.concat(bodies).equals(await got.Body!.transformToByteArray())).toBe(true)
  })
})
