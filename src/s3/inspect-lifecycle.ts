import {
  GetBucketLifecycleConfigurationCommand,
  S3ServiceException,
  type LifecycleRule as StoreRule,
  type S3Client,
} from '@aws-sdk/client-s3'
import type { Asking, LifecycleRule } from '../doctor/ports.ts'
import { lacksPermission } from './permissions.ts'

/** How stores without lifecycle rules say so; by their status those that answer with something else. */
const unsupported = new Set([405, 501])

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
    if (lacksPermission(error)) return undefined
    if (!(error instanceof S3ServiceException)) throw error
    if (error.name === 'NoSuchLifecycleConfiguration') return []
    if (unsupported.has(error.$metadata.httpStatusCode ?? 0)) return undefined
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
  }
}

const hasSize = (filter: StoreRule['Filter']) =>
  filter?.ObjectSizeGreaterThan !== undefined || filter?.ObjectSizeLessThan !== undefined
