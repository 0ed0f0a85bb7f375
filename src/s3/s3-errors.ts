import { S3ServiceException } from '@aws-sdk/client-s3'
import { ExportError, StoreError } from '../errors.ts'

/** Codes of S3 and of its compatible stores that ask for patience. "Error responses", S3 API reference. */
const slowDown = new Set([
  'SlowDown',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequests',
])
const denied = new Set([
  'AccessDenied',
  'Forbidden',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'AllAccessDisabled',
])
/** Credentials of a role that were renewed too late, and clocks: both come right by themselves. */
const stale = new Set(['ExpiredToken', 'TokenRefreshRequired', 'RequestTimeTooSkewed'])
/** Of radosgw, MinIO and Huawei OBS, each with a status of its own. Somebody has to act. */
const quota = new Set([
  'QuotaExceeded',
  'XMinioAdminBucketQuotaExceeded',
  'InsufficientStorageSpace',
])
/** The bucket is in another region, or the region is not the endpoint's. */
const elsewhere = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
])
/** Refusals of the request itself, which the same request will meet again. */
const permanentStatus = new Set([301, 400, 405, 409, 411, 412, 501])
/** By their status as permanent as those, yet passing by nature: another attempt sends all anew. */
const passing = new Set([
  'RequestTimeout',
  'OperationAborted',
  'ConditionalRequestConflict',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'IncompleteBody',
  'InvalidPart',
])

/** The SDK's error as ours. An ExportError passes unchanged. */
export function translateS3Error(error: unknown, bucket: string): ExportError {
  if (error instanceof ExportError) return error
  if (error instanceof S3ServiceException) return translateAnswer(error, bucket)
  const reason = error instanceof Error ? error : new TypeError(String(error))
  if (reason.name === 'CredentialsProviderError') {
    return new StoreError('STORE_DENIED', 'No S3 credentials were found.', {
      cause: error,
      hint: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role.',
    })
  }
  return new StoreError(
    'STORE_UNAVAILABLE',
    `The object store cannot be reached: ${describe(reason)}.`,
    { cause: error, hint: 'Check that it runs, and S3_ENDPOINT, S3_REGION and the network.' },
  )
}

function translateAnswer(error: S3ServiceException, bucket: string): StoreError {
  const status = error.$metadata.httpStatusCode ?? 0
  // a HEAD has no body, so that its errors have no code but the status
  const code = error.name === 'NotFound' || error.name === 'Unknown' ? `HTTP ${status}` : error.name
  // the SDK's own words where the store gave a code alone, as radosgw does, or nothing, as to a HEAD
  const words = ['', 'UnknownError', error.name].includes(error.message) ? '' : `, ${error.message}`
  const said = `The object store said: ${code}${words}`
  const about = `${said} (bucket ${JSON.stringify(bucket)}, status ${status}).`
  const cause = error
  if (error.name === 'NoSuchBucket') {
    return new StoreError('STORE_NO_BUCKET', `There is no bucket ${JSON.stringify(bucket)}.`, {
      cause,
      hint: 'Create the bucket, or correct S3_BUCKET and S3_ENDPOINT.',
    })
  }
  if (stale.has(error.name)) {
    return new StoreError('STORE_UNAVAILABLE', about, {
      cause,
      hint: "If it goes on, check that the credentials are renewed in time, and the machine's clock.",
    })
  }
  if (quota.has(error.name)) {
    return new StoreError('STORE_REJECTED', about, {
      cause,
      hint: 'Delete what is not needed any more, or raise the quota of the bucket.',
    })
  }
  if (denied.has(error.name) || status === 401 || status === 403) {
    return new StoreError('STORE_DENIED', about, {
      cause,
      hint: "Check the credentials, the machine's clock, and that they may put, get, delete and list in this bucket.",
    })
  }
  if (error.name === 'EntityTooLarge' || status === 413) {
    return new StoreError('STORE_TOO_LARGE', about, {
      cause,
      hint: 'Export a shorter range, or let the store, and any proxy before it, take requests of 32 MiB.',
    })
  }
  if (slowDown.has(error.name) || status === 429 || status === 503) {
    return new StoreError('STORE_SLOW_DOWN', about, { cause })
  }
  if (permanentStatus.has(status) && !passing.has(error.name)) {
    return new StoreError('STORE_REJECTED', about, {
      cause,
      hint: elsewhere.has(error.name)
        ? 'Set S3_REGION, and S3_ENDPOINT if there is one, to those of the bucket.'
        : 'A store that rejects the newer checksums needs S3_CHECKSUMS=when_required.',
    })
  }
  const hint = status === 507 ? 'Make room in the store: its disks are full.' : undefined
  return new StoreError('STORE_UNAVAILABLE', about, { cause, hint })
}

/** Node reports several refused addresses as one AggregateError without a message. */
const describe = (error: Error): string =>
  error instanceof AggregateError
    ? error.errors.map((each: unknown) => (each instanceof Error ? each.message : '')).join(', ')
    : error.message || error.name
