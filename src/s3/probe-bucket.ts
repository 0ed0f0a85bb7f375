import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3'

/** Asks whether the bucket is there, and is ours to list. @throws errors of the SDK */
export async function probeBucket(
  client: S3Client,
  bucket: string,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal: signal })
}
