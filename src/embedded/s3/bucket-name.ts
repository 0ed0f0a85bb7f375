import { S3Error } from './s3-error.ts'

/** Lower-case letters, digits, dots and hyphens, 3 to 63 of them, and nothing like an address. */
export function assertBucketName(name: string): void {
  const wellFormed = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)
  if (wellFormed && !name.includes('..') && !/^\d+(\.\d+){3}$/.test(name)) return
  throw new S3Error('InvalidBucketName', { elements: { BucketName: name } })
}
