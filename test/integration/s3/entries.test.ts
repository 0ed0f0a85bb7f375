import {
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListOptions, StoredEntry } from '../../../src/export/ports.ts'
import { createArtifactStore } from '../../../src/s3/artifact-store.ts'
import { createTestBucket } from '../../support/bucket.ts'
import { describeOnS3 } from '../../support/describe-on-s3.ts'

describeOnS3('entries of a bucket', (endpoint) => {
  const signal = new AbortController().signal

  async function setup() {
    const bucket = await createTestBucket(onTestFinished, await endpoint())
    const { client, settings } = bucket
    const Bucket = settings.bucket
    const store = createArtifactStore({ client, bucket: Bucket })
    const list = async (prefix: string, { only }: Pick<ListOptions, 'only'> = {}) => {
      const found: StoredEntry[] = []
      for await (const entry of store.list(prefix, { signal, only })) found.push(entry)
      return found.map(({ kind, key }) => `${kind} ${key}`)
    }
    async function beginUpload(Key: string, parts = 1): Promise<void> {
      const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key }))
      for (let PartNumber = 1; PartNumber <= parts; PartNumber++) {
        await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: 'x' }))
      }
    }
    const putObject = (Key: string) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body: '[]' }))
    return { bucket, store, list, beginUpload, putObject }
  }

  describe('a listing', () => {
    it('has open uploads, also several of one key', async () => {
      const { bucket, store, list, beginUpload, putObject } = await setup()
      await putObject('e/1')
      await beginUpload('e/1', 0)
      await beginUpload('e/2')
      await beginUpload('e/2')
      await beginUpload('f/1')
      expect([...(await list('e/'))].sort()).toEqual([
        'object e/1',
        'upload e/1',
        'upload e/2',
        'upload e/2',
      ])
      expect(await list('e/', { only: 'objects' })).toEqual(['object e/1'])
      for (const key of ['e/1', 'e/2', 'f/1']) {
        await store.abortUploads(key)
      }
      expect(await bucket.openUploads()).toEqual([])
      expect(await bucket.keys()).toEqual(['e/1'])
    })

    it('goes on behind the first thousand of each kind', async () => {
      const { store, list, beginUpload, putObject } = await setup()
      const numbers = Array.from({ length: 1003 }, (_, n) => String(n).padStart(4, '0'))
      for (let from = 0; from < numbers.length; from += 50) {
        const some = numbers.slice(from, from + 50)
        await Promise.all(some.flatMap((n) => [putObject(`m/${n}`), beginUpload(`m/${n}`, 0)]))
      }
      const found = await list('m/')
      expect(found).toHaveLength(2006)
      expect(new Set(found).size).toBe(2006)
      for (let from = 0; from < numbers.length; from += 50) {
        await Promise.all(numbers.slice(from, from + 50).map((n) => store.remove(`m/${n}`)))
      }
      expect(await list('m/')).toEqual([])
    })
  })
})
