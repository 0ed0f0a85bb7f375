import { CreateBucketCommand, HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3'
import { StoreError } from '../errors.ts'
import { createS3Client, type S3Settings } from './client.ts'
import { translateS3Error } from './s3-errors.ts'

/**
 * Creates the bucket unless it is there. The SDK tells the store the region, where that is not the default.
 * @throws StoreError
 */
export async function createBucket(settings: S3Settings): Promise<'created' | 'was there'> {
  const client = createS3Client(settings)
  const { bucket } = settings
  try {
    if (await exists(client, bucket)) return 'was there'
    await client.send(new CreateBucketCommand({ Bucket: bucket }))
    return 'created'
  } catch (error) {
    // somebody else who sets up the same has been faster
    if (isNamed(error, 'BucketAlreadyOwnedByYou')) return 'was there'
    throw refusedName(error, bucket) ?? translateS3Error(error, bucket)
  } finally {
    client.destroy()
  }
}

/** Asked first: who may use a bucket that is there need not be allowed to create any. */
const exists = (client: S3Client, bucket: string): Promise<boolean> =>
  client.send(new HeadBucketCommand({ Bucket: bucket })).then(
    () => true,
    (error: unknown) => {
      if (isNamed(error, 'NotFound') || isNamed(error, 'NoSuchBucket')) return false
      throw error
    },
  )

const isNamed = (error: unknown, name: string) => error instanceof Error && error.name === name

const refusedNames: Readonly<Record<string, string>> = {
  BucketAlreadyExists: 'somebody else has one of this name',
  InvalidBucketName: 'the store takes no such name',
}

function refusedName(error: unknown, bucket: string): StoreError | undefined {
  const reason = refusedNames[error instanceof Error ? error.name : '']
  if (reason === undefined) return undefined
  const message = `The bucket ${JSON.stringify(bucket)} cannot be created: ${reason}.`
  return new StoreError('STORE_REJECTED', message, {
    cause: error,
    hint: 'Set S3_BUCKET to another name: 3 to 63 lower-case letters, digits and hyphens.',
  })
}
