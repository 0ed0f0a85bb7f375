import { S3ServiceException } from '@aws-sdk/client-s3'
import { StoreError, type ExportError } from '../errors.ts'
import { translateS3Error } from './s3-errors.ts'

/** Refused is this request, not whoever sent it: its keys are known and its signature is right. */
export const lacksPermission = (error: unknown): boolean =>
  error instanceof S3ServiceException &&
  (/^(AccessDenied|Forbidden)$/.test(error.name) ||
    // to a HEAD there is no code
    (error.$metadata.httpStatusCode === 403 && /^(403|Unknown|UnknownError)$/.test(error.name)))

/** How stores that do not know a request say so; by their status those that answer with something else. */
export const lacksOperation = (error: unknown): boolean =>
  error instanceof S3ServiceException && [405, 501].includes(error.$metadata.httpStatusCode ?? 0)

/** The error of a request that needs these permissions: they are named where they are what is missing. */
export function translateRefusal(
  error: unknown,
  { bucket, actions, resource }: { bucket: string; actions: readonly string[]; resource: string },
): ExportError {
  const translated = translateS3Error(error, bucket)
  return lacksPermission(error)
    ? new StoreError('STORE_DENIED', translated.message, {
        cause: error,
        hint: `Allow ${actions.join(' and ')} on arn:aws:s3:::${resource} in the policy of these credentials.`,
      })
    : translated
}
