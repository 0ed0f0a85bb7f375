import type { Checksum, ChecksumAlgorithm, ChecksumType, ObjectChecksum } from './checksums.ts'

/*
 * What the folder of the server holds. A *blob* is a file of bytes that is written once and belongs to
 * whichever record names it; a *record* is a small JSON file, and its rename into place is the moment
 * at which an object, an upload or a part exists. A blob that no record names is rubbish.
 */

export interface BlobRef {
  readonly id: string
  readonly bytes: number
}

/** Content-Type, its relatives and `x-amz-meta-*`, in lower case, as they are given back. */
export type StoredHeaders = Readonly<Record<string, string>>

export interface ObjectRecord {
  readonly key: string
  /** In order; more than one when the object came from a multipart upload. */
  readonly blobs: readonly BlobRef[]
  readonly bytes: number
  /** Without its quotes. */
  readonly etag: string
  /** ISO 8601. */
  readonly modifiedAt: string
  readonly headers: StoredHeaders
  readonly checksum?: ObjectChecksum | undefined
  /** The multipart upload that made this object. */
  readonly uploadId?: string | undefined
}

export interface UploadRecord {
  readonly id: string
  readonly key: string
  readonly startedAt: string
  readonly headers: StoredHeaders
  readonly checksum?:
    { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined
}

export interface PartRecord {
  readonly number: number
  readonly blob: BlobRef
  readonly etag: string
  readonly modifiedAt: string
  readonly checksum?: Checksum | undefined
}

export interface Upload {
  readonly record: UploadRecord
  readonly parts: Map<number, PartRecord>
}

export interface Bucket {
  readonly name: string
  readonly createdAt: string
  readonly objects: Map<string, ObjectRecord>
  readonly uploads: Map<string, Upload>
}
