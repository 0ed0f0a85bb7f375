import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isMissing, makeFolder, namesIn, readRecord, type Folder } from './folder.ts'
import type { BlobRef, Bucket, ObjectRecord, PartRecord, Upload, UploadRecord } from './records.ts'

/** Tells whether the file of a blob is there in its full length. */
type IsWhole = (blob: BlobRef) => boolean

/**
 * Reads all records, and removes what a crash may have left: temporary files, halves of buckets and
 * uploads, records whose bytes are not all there, and blobs that no record names.
 */
export function loadBuckets(folder: Folder): Map<string, Bucket> {
  rmSync(folder.temporary, { recursive: true, force: true })
  for (const path of [folder.temporary, folder.blobs, folder.buckets]) makeFolder(path)
  const isWhole: IsWhole = ({ id, bytes }) => sizeOf(join(folder.blobs, id)) === bytes
  const buckets = new Map<string, Bucket>()
  const named = new Set<string>()
  for (const name of namesIn(folder.buckets)) {
    const bucket = loadBucket(folder, name, isWhole)
    if (bucket === undefined) continue
    buckets.set(name, bucket)
    for (const { id } of blobsOf(bucket)) named.add(id)
  }
  for (const id of namesIn(folder.blobs)) {
    if (!named.has(id)) rmSync(join(folder.blobs, id), { force: true })
  }
  return buckets
}

function loadBucket(folder: Folder, name: string, isWhole: IsWhole): Bucket | undefined {
  const record = readRecord(folder.bucketRecord(name)) as { createdAt: string } | undefined
  if (record === undefined) {
    rmSync(folder.bucket(name), { recursive: true, force: true })
    return undefined
  }
  const objects = loadObjects(folder, name, isWhole)
  const finished = new Set([...objects.values()].map(({ uploadId }) => uploadId))
  const uploads = new Map<string, Upload>()
  for (const id of namesIn(folder.uploads(name))) {
    const upload = finished.has(id) ? undefined : loadUpload(folder, name, id, isWhole)
    if (upload !== undefined) uploads.set(id, upload)
    else rmSync(folder.upload(name, id), { recursive: true, force: true })
  }
  return { name, createdAt: record.createdAt, objects, uploads }
}

function loadObjects(folder: Folder, bucket: string, isWhole: IsWhole): Map<string, ObjectRecord> {
  const objects = new Map<string, ObjectRecord>()
  for (const file of namesIn(folder.objects(bucket))) {
    const path = join(folder.objects(bucket), file)
    const record = readRecord(path) as ObjectRecord | undefined
    if (record?.blobs.every(isWhole) === true) objects.set(record.key, record)
    else rmSync(path, { force: true })
  }
  return objects
}

function loadUpload(
  folder: Folder,
  bucket: string,
  id: string,
  isWhole: IsWhole,
): Upload | undefined {
  const record = readRecord(folder.uploadRecord(bucket, id)) as UploadRecord | undefined
  if (record === undefined) return undefined
  const parts = new Map<number, PartRecord>()
  for (const file of namesIn(folder.upload(bucket, id))) {
    if (!file.startsWith('part-')) continue
    const part = readRecord(join(folder.upload(bucket, id), file)) as PartRecord | undefined
    if (part !== undefined && isWhole(part.blob)) parts.set(part.number, part)
  }
  return { record, parts }
}

function blobsOf(bucket: Bucket): BlobRef[] {
  const objects = [...bucket.objects.values()].flatMap(({ blobs }) => blobs)
  const parts = [...bucket.uploads.values()].flatMap((upload) => [...upload.parts.values()])
  return [...objects, ...parts.map(({ blob }) => blob)]
}

function sizeOf(path: string): number | undefined {
  try {
    return statSync(path).size
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
