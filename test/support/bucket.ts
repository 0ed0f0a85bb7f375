import { randomBytes } from 'node:crypto'
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { inject } from 'vitest'
import { exposeToAwsSdk } from '../../src/config.ts'
import { createS3Client, type S3Settings } from '../../src/s3/client.ts'
import type { Release } from './release.ts'

export interface TestBucket {
  readonly client: S3Client
  readonly settings: S3Settings
  /** Keys of all objects. */
  keys(): Promise<readonly string[]>
  /** Keys of all open multipart uploads. */
  openUploads(): Promise<readonly string[]>
  putObject(key: string, body: Buffer): Promise<void>
  removeObject(key: string): Promise<void>
}

/**
 * The embedded S3 server, or another that knows the same keys, as settings; its credentials go where the
 * AWS chain finds them.
 */
export function stackS3Settings(endpoint?: string): Omit<S3Settings, 'bucket'> {
  const values = inject('stack')
  exposeToAwsSdk({ ...values, AWS_PROFILE: undefined, AWS_SESSION_TOKEN: undefined })
  return {
    endpoint: endpoint ?? values.S3_ENDPOINT,
    region: values.S3_REGION,
    forcePathStyle: true,
    checksums: 'when_supported',
  }
}

/** A fresh bucket, on the embedded S3 unless told otherwise; emptied and deleted when released. */
export async function createTestBucket(release: Release, endpoint?: string): Promise<TestBucket> {
  const settings = {
    ...stackS3Settings(endpoint),
    bucket: `test-${randomBytes(6).toString('hex')}`,
  }
  const client = createS3Client(settings)
  const Bucket = settings.bucket
  await client.send(new CreateBucketCommand({ Bucket }))

  const keys = async () => {
    const listed = await client.send(new ListObjectsV2Command({ Bucket }))
    return (listed.Contents ?? []).map((object) => object.Key ?? '')
  }
  const openUploads = async () => {
    const listed = await client.send(new ListMultipartUploadsCommand({ Bucket }))
    return (listed.Uploads ?? []).map((upload) => upload.Key ?? '')
  }
  const putObject = async (Key: string, Body: Buffer) => {
    await client.send(new PutObjectCommand({ Bucket, Key, Body }))
  }
  const removeObject = async (Key: string) => {
    await client.send(new DeleteObjectCommand({ Bucket, Key }))
  }
  release(async () => {
    for (const key of await keys()) await removeObject(key)
    await client.send(new DeleteBucketCommand({ Bucket })).catch(() => undefined)
    client.destroy()
  })
  return { client, settings, keys, openUploads, putObject, removeObject }
}
