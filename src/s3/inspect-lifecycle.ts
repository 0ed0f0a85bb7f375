import {
  GetBucketLifecycleConfigurationCommand,
  S3ServiceException,
  type LifecycleRule as StoreRule,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { LifecycleRule } from '../doctor/bucket-ports.ts'
import type { Asking } from '../doctor/ports.ts'
import { lacksOperation, lacksPermission } from './permissions.ts'

/** The rules of a bucket that are in force; undefined where nobody tells us. @throws errors of the SDK */
export async function inspectLifecycle(
  client: S3Client,
  bucket: string,
  { signal }: Asking,
): Promise<readonly LifecycleRule[] | undefined> {
  const request = new GetBucketLifecycleConfigurationCommand({ Bucket: bucket })
  try {
    const { Rules = [] } = await client.send(request, { abortSignal: signal })
    return Rules.filter(({ Status }) => Status === 'Enabled').map(ruleOf)
  } catch (error) {
    if (lacksPermission(error) || lacksOperation(error)) return undefined
    if (error instanceof S3ServiceException && error.name === 'NoSuchLifecycleConfiguration')
      return []
    throw error
  }
}

function ruleOf(rule: StoreRule): LifecycleRule {
  const { ID: id = '', Filter, AbortIncompleteMultipartUpload: abort, Expiration } = rule
  // the element of the first version of rules, which stores still give; the SDK calls it deprecated
  const { Prefix: early } = rule as { readonly Prefix?: string }
  return {
    id,
    prefix: Filter?.And?.Prefix ?? Filter?.Prefix ?? early ?? '',
    partial: Filter?.And !== undefined || Filter?.Tag !== undefined || hasSize(Filter),
    abortUploadsDays: abort?.DaysAfterInitiation,
    expireDays: Expiration?.Days,
    expireDate: Expiration?.Date?.toISOString().slice(0, 10),
  }
}

const hasSize = (filter: StoreRule['Filter']) =>
  filter?.ObjectSizeGreaterThan !== undefined || filter?.ObjectSizeLessThan !== undefined
