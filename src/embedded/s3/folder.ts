import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where everything lies. Keys are hashed into names, so that no key can point outside the folder. */
export interface Folder {
  readonly blobs: string
  readonly buckets: string
  readonly temporary: string
  bucket(name: string): string
  bucketRecord(name: string): string
  objects(bucket: string): string
  objectRecord(bucket: string, key: string): string
  uploads(bucket: string): string
  upload(bucket: string, id: string): string
  uploadRecord(bucket: string, id: string): string
  partRecord(bucket: string, id: string, number: number): string
}

export function folderAt(dir: string): Folder {
  const buckets = join(dir, 'buckets')
  const bucket = (name: string) => join(buckets, name)
  const objects = (name: string) => join(bucket(name), 'objects')
  const uploads = (name: string) => join(bucket(name), 'uploads')
  const upload = (name: string, id: string) => join(uploads(name), id)
  const hash = (key: string) => createHash('sha256').update(key).digest('hex')
  return {
    blobs: join(dir, 'blobs'),
    buckets,
    temporary: join(dir, 'tmp'),
    bucket,
    bucketRecord: (name) => join(bucket(name), 'bucket.json'),
    objects,
    objectRecord: (name, key) => join(objects(name), `${hash(key)}.json`),
    uploads,
    upload,
    uploadRecord: (name, id) => join(upload(name, id), 'upload.json'),
    partRecord: (name, id, number) => join(upload(name, id), `part-${number}.json`),
  }
}

export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
}

/**
 * Writes a record in one step: it is there whole, or as it was before. Synchronous on purpose: a
 * condition checked just before cannot be overtaken by another request.
 */
export function writeRecord(folder: Folder, path: string, record: unknown): void {
  const temporary = join(folder.temporary, randomUUID())
  try {
    writeFileSync(temporary, JSON.stringify(record), { mode: 0o600, flag: 'wx' })
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** A record, or `undefined` when it is missing or torn (after a loss of power). */
export function readRecord(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof SyntaxError || isMissing(error)) return undefined
    throw error
  }
}

export function namesIn(path: string): string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
