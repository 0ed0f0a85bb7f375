import {
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3ServiceException,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { ManifestStore } from '../archive/ports.ts'
import { translateS3Error } from './s3-errors.ts'
import { statObject } from './stat-object.ts'

/** Manifests in an S3 bucket: written where there is none, and never changed. */
export function createManifestStore(client: S3Client, bucket: string): ManifestStore {
  async function put(Key: string, text: string, onlyNew: boolean): Promise<void> {
    const request = new PutObjectCommand({
      ...{ Bucket: bucket, Key, Body: Buffer.from(text), ContentType: 'application/json' },
      ...(onlyNew ? { IfNoneMatch: '*' } : {}),
    })
    await client.send(request)
  }

  return {
    async get(Key) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }))
        return await Body?.transformToString()
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined
        throw translateS3Error(error, bucket)
      }
    },

    async putOnce(key, text) {
      try {
        await put(key, text, true)
        return true
      } catch (error) {
        const status = error instanceof S3ServiceException && error.$metadata.httpStatusCode
        if (status === 412) return false
        if (status !== 501) throw translateS3Error(error, bucket)
      }
      try {
        // a store without conditional writes: between the look and the write there may be another, of the same bytes
        if ((await statObject(client, bucket, key)) !== undefined) return false
        await put(key, text, false)
        return true
      } catch (error) {
        throw translateS3Error(error, bucket)
      }
    },
  }
}
