import type { S3Client } from '@aws-sdk/client-s3'

/** What every object is stored with, and whose its bucket must be. */
export interface ObjectSettings {
  /** By the store, with its own keys (`AES256`) or with one of its key management. Absent: as the bucket is set. */
  readonly encryption?: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | undefined
  /** Of the key management. Absent: the store's default. */
  readonly kmsKeyId?: string | undefined
  /** Pairs as in the query of a URL: `team=a&kind=export`. */
  readonly tags?: string | undefined
  readonly storageClass?: string | undefined
  /** Number of the account; a request to another's bucket is refused by the store. */
  readonly bucketOwner?: string | undefined
}

/** The requests that begin an object: its parts and its completion follow them. */
const beginners = new Set(['CreateMultipartUploadCommand', 'PutObjectCommand', 'CopyObjectCommand'])

/**
 * Has each request of the client say so. A link says nothing of the owner: whoever follows it knows nothing
 * of accounts, and what it leads to was stored by requests that did.
 */
export function applyObjectSettings(client: S3Client, settings: ObjectSettings): void {
  const { encryption, kmsKeyId, tags, storageClass, bucketOwner } = settings
  const ofObject = present({
    ServerSideEncryption: encryption,
    SSEKMSKeyId: kmsKeyId,
    Tagging: tags,
    StorageClass: storageClass,
  })
  // tags that are copied would have to be read, which is a permission of its own
  const ofCopy = tags === undefined ? {} : { TaggingDirective: 'REPLACE' }
  const ofAll = present({ ExpectedBucketOwner: bucketOwner })
  if (Object.keys({ ...ofObject, ...ofAll }).length === 0) return
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        const owner = commandName === 'GetObjectCommand' ? {} : ofAll
        const object = beginners.has(commandName) ? ofObject : {}
        const copied = commandName === 'CopyObjectCommand' ? ofCopy : {}
        return next({ ...args, input: { ...args.input, ...owner, ...object, ...copied } })
      },
    { step: 'initialize', name: 'applyObjectSettings' },
  )
}

const present = (fields: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
