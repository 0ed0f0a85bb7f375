import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DeleteBucketCommand, HeadBucketCommand } from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import { StoreError } from '../../../src/errors.ts'
import { createS3Client } from '../../../src/s3/client.ts'
import { createBucket } from '../../../src/s3/create-bucket.ts'
import { stackS3Settings } from '../../support/bucket.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'

/** A bucket that is not there yet, and is gone when the test has finished. */
function newBucket(endpoint: string) {
  const bucket = `new-${randomBytes(6).toString('hex')}`
  const settings = { ...stackS3Settings(endpoint), bucket }
  const client = createS3Client(settings)
  onTestFinished(async () => {
    await client.send(new DeleteBucketCommand({ Bucket: bucket })).catch(() => undefined)
    client.destroy()
  })
  return { settings, look: () => client.send(new HeadBucketCommand({ Bucket: bucket })) }
}

const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new TypeError('expected an error')
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(StoreError)
      return error as StoreError
    },
  )

describeOnS3('a bucket', (endpoint) => {
  it('is created once, whoever asks and how often', async () => {
    const { settings, look } = newBucket(await endpoint())
    const states = await Promise.all([1, 2, 3].map(() => createBucket(settings)))
    expect(states).toContain('created')
    await look()
    expect(await createBucket(settings)).toBe('was there')
  })
})

describe('a bucket that cannot be created', () => {
  it('says that nobody answers', async () => {
    const settings = { ...stackS3Settings('http://127.0.0.1:1'), bucket: 'new-bucket' }
    expect(await errorOf(createBucket(settings))).toMatchObject({ code: 'STORE_UNAVAILABLE' })
  })

  it('says that no bucket may have its name', async () => {
    const settings = { ...stackS3Settings(), bucket: 'No_Such' }
    const error = await errorOf(createBucket(settings))
    expect(error).toMatchObject({ code: 'STORE_REJECTED', retryable: false })
    expect(`${error.message} ${error.hint ?? ''}`).toMatch(/"No_Such" .*no such name.*S3_BUCKET/)
  })

  it.each([
    [404, 409, 'BucketAlreadyExists', 'STORE_REJECTED', /somebody else has one of this name/],
    [404, 403, 'AccessDenied', 'STORE_DENIED', /AccessDenied/],
    [403, 200, '', 'STORE_DENIED', /403/],
  ])('says what the store said: %i, %i %s', async (head, put, name, code, message) => {
    const server = createServer((request, response) => {
      response.statusCode = request.method === 'HEAD' ? head : put
      response.end(request.method === 'HEAD' ? '' : `<Error><Code>${name}</Code></Error>`)
    })
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { port } = server.address() as AddressInfo
    const settings = { ...stackS3Settings(`http://127.0.0.1:${port}`), bucket: 'a-bucket' }
    const error = await errorOf(createBucket(settings))
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string })
    expect(error.message).toContain('"a-bucket"')
    expect(error.hint).toBeDefined()
  })
})
