import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { assertBucketName } from './bucket-name.ts'
import { createBlobs, type Blobs } from './blobs.ts'
import { folderAt, makeFolder, writeRecord } from './folder.ts'
import { loadBuckets } from './load-buckets.ts'
import type { BlobRef, Bucket, ObjectRecord, PartRecord, Upload, UploadRecord } from './records.ts'
import { S3Error } from './s3-error.ts'

/** Throws if an object must not be written over `current`, the one that the key has now. */
export type WriteCondition = (current: ObjectRecord | undefined) => void

/**
 * Buckets, objects and uploads on disk, all records also in memory. Every change is checked and
 * committed in one synchronous step, so requests cannot come between a condition and its write; files that
 * are no longer needed go afterwards. Nothing is synced to disk: the data outlive the process, and after a
 * loss of power an object is whole or absent.
 */
export interface Store {
  readonly blobs: Blobs
  buckets(): Bucket[]
  /** Throws NoSuchBucket. */
  bucket(name: string): Bucket
  createBucket(name: string): void
  /** Only an empty one; its open uploads go with it. */
  deleteBucket(name: string): Promise<void>
  /** Takes the record's blobs over: if it fails, they are gone. */
  putObject(bucket: string, record: ObjectRecord, condition?: WriteCondition): Promise<void>
  /** Does nothing when there is no such object. */
  deleteObject(bucket: string, key: string): Promise<void>
  beginUpload(bucket: string, record: UploadRecord): void
  /** Throws NoSuchUpload, also when the upload is another key's. */
  upload(bucket: string, key: string, id: string): Upload
  /** Takes the part's blob over: if it fails, the blob is gone. */
  putPart(bucket: string, upload: UploadRecord, part: PartRecord): Promise<void>
  /** Makes the object and ends the upload; parts that are not in the record go. */
  completeUpload(bucket: string, record: ObjectRecord, condition: WriteCondition): Promise<void>
  abortUpload(bucket: string, key: string, id: string): Promise<void>
}

export function openStore(dir: string): Store {
  const folder = folderAt(dir)
  makeFolder(dir)
  const buckets = loadBuckets(folder)
  const blobs = createBlobs(folder.blobs)

  function bucketNamed(name: string): Bucket {
    const bucket = buckets.get(name)
    if (bucket !== undefined) return bucket
    throw new S3Error('NoSuchBucket', { elements: { BucketName: name } })
  }

  function uploadOf(bucket: string, key: string, id: string): Upload {
    const upload = bucketNamed(bucket).uploads.get(id)
    if (upload?.record.key === key) return upload
    throw new S3Error('NoSuchUpload', { elements: { UploadId: id } })
  }

  /** The commit of an object; returns the blobs that it made superfluous. */
  function commitObject(
    bucket: string,
    record: ObjectRecord,
    condition: WriteCondition,
  ): readonly BlobRef[] {
    const { objects } = bucketNamed(bucket)
    const replaced = objects.get(record.key)
    condition(replaced)
    writeRecord(folder, folder.objectRecord(bucket, record.key), record)
    objects.set(record.key, record)
    return replaced?.blobs ?? []
  }

  /** The commit of an upload's end, on disk and in memory; the rest of its folder may go later. */
  function forgetUpload(bucket: string, id: string): void {
    rmSync(folder.uploadRecord(bucket, id), { force: true })
    bucketNamed(bucket).uploads.delete(id)
  }

  async function clearUpload(bucket: string, id: string, unused: readonly BlobRef[]) {
    await rm(folder.upload(bucket, id), { recursive: true, force: true })
    await blobs.discard(unused)
  }

  return {
    blobs,
    buckets: () => [...buckets.values()],
    bucket: bucketNamed,
    createBucket(name) {
      // the name becomes that of a folder
      assertBucketName(name)
      if (buckets.has(name)) throw new S3Error('BucketAlreadyOwnedByYou')
      const createdAt = new Date().toISOString()
      makeFolder(folder.objects(name))
      makeFolder(folder.uploads(name))
      writeRecord(folder, folder.bucketRecord(name), { createdAt })
      buckets.set(name, { name, createdAt, objects: new Map(), uploads: new Map() })
    },
    async deleteBucket(name) {
      const { objects, uploads } = bucketNamed(name)
      if (objects.size > 0) throw new S3Error('BucketNotEmpty')
      // at once and as a whole: the name may be taken again before an asynchronous removal ends
      rmSync(folder.bucketRecord(name))
      rmSync(folder.bucket(name), { recursive: true, force: true })
      buckets.delete(name)
      await blobs.discard([...uploads.values()].flatMap(blobsOfParts))
    },
    async putObject(bucket, record, condition = () => undefined) {
      try {
        await blobs.discard(commitObject(bucket, record, condition))
      } catch (error) {
        await blobs.discard(record.blobs)
        throw error
      }
    },
    async deleteObject(bucket, key) {
      const { objects } = bucketNamed(bucket)
      const record = objects.get(key)
      if (record === undefined) return
      rmSync(folder.objectRecord(bucket, key), { force: true })
      objects.delete(key)
      await blobs.discard(record.blobs)
    },
    beginUpload(bucket, record) {
      const { uploads } = bucketNamed(bucket)
      makeFolder(folder.upload(bucket, record.id))
      writeRecord(folder, folder.uploadRecord(bucket, record.id), record)
      uploads.set(record.id, { record, parts: new Map() })
    },
    upload: uploadOf,
    async putPart(bucket, { id, key }, part) {
      try {
        const { parts } = uploadOf(bucket, key, id)
        const replaced = parts.get(part.number)
        writeRecord(folder, folder.partRecord(bucket, id, part.number), part)
        parts.set(part.number, part)
        if (replaced !== undefined) await blobs.discard([replaced.blob])
      } catch (error) {
        await blobs.discard([part.blob])
        throw error
      }
    },
    async completeUpload(bucket, record, condition) {
      const { key, uploadId = '' } = record
      const upload = uploadOf(bucket, key, uploadId)
      const replaced = commitObject(bucket, record, condition)
      forgetUpload(bucket, uploadId)
      const used = new Set(record.blobs.map(({ id }) => id))
      const unused = blobsOfParts(upload).filter(({ id }) => !used.has(id))
      await clearUpload(bucket, uploadId, [...replaced, ...unused])
    },
    async abortUpload(bucket, key, id) {
      const upload = uploadOf(bucket, key, id)
      forgetUpload(bucket, id)
      await clearUpload(bucket, id, blobsOfParts(upload))
    },
  }
}

function blobsOfParts({ parts }: Upload): BlobRef[] {
  return [...parts.values()].map(({ blob }) => blob)
}
