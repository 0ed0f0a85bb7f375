import { NotFound, S3ServiceException } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { SourceError, StoreError } from '../../src/errors.ts'
import { translateS3Error } from '../../src/s3/s3-errors.ts'

const answer = (name: string, httpStatusCode: number) =>
  new S3ServiceException({
    name,
    message: 'what the store said',
    $fault: httpStatusCode < 500 ? 'client' : 'server',
    $metadata: { httpStatusCode },
  })

const passing = ['STORE_UNAVAILABLE', 'STORE_SLOW_DOWN']

describe('an answer of the object store', () => {
  it.each([
    ['InternalError', 500, 'STORE_UNAVAILABLE'],
    ['BadGateway', 502, 'STORE_UNAVAILABLE'],
    ['GatewayTimeout', 504, 'STORE_UNAVAILABLE'],
    ['XMinioStorageFull', 507, 'STORE_UNAVAILABLE'],
    ['InsufficientStorage', 507, 'STORE_UNAVAILABLE'],
    ['RequestTimeout', 400, 'STORE_UNAVAILABLE'],
    ['RequestTimeout', 408, 'STORE_UNAVAILABLE'],
    ['ExpiredToken', 400, 'STORE_UNAVAILABLE'],
    ['ExpiredToken', 403, 'STORE_UNAVAILABLE'],
    ['TokenRefreshRequired', 400, 'STORE_UNAVAILABLE'],
    ['RequestTimeTooSkewed', 403, 'STORE_UNAVAILABLE'],
    ['OperationAborted', 409, 'STORE_UNAVAILABLE'],
    ['ConditionalRequestConflict', 409, 'STORE_UNAVAILABLE'],
    ['BadDigest', 400, 'STORE_UNAVAILABLE'],
    ['XAmzContentSHA256Mismatch', 400, 'STORE_UNAVAILABLE'],
    ['IncompleteBody', 400, 'STORE_UNAVAILABLE'],
    ['InvalidPart', 400, 'STORE_UNAVAILABLE'],
    ['NoSuchUpload', 404, 'STORE_UNAVAILABLE'],
    ['Unknown', 500, 'STORE_UNAVAILABLE'],
    ['SlowDown', 503, 'STORE_SLOW_DOWN'],
    ['ServiceUnavailable', 503, 'STORE_SLOW_DOWN'],
    ['TooManyRequests', 429, 'STORE_SLOW_DOWN'],
    ['ThrottlingException', 400, 'STORE_SLOW_DOWN'],
    ['AccessDenied', 403, 'STORE_DENIED'],
    ['InvalidAccessKeyId', 403, 'STORE_DENIED'],
    ['SignatureDoesNotMatch', 403, 'STORE_DENIED'],
    ['InvalidToken', 400, 'STORE_DENIED'],
    ['AllAccessDisabled', 403, 'STORE_DENIED'],
    ['Unknown', 403, 'STORE_DENIED'],
    ['Unauthorized', 401, 'STORE_DENIED'],
    ['NoSuchBucket', 404, 'STORE_NO_BUCKET'],
    ['EntityTooLarge', 400, 'STORE_TOO_LARGE'],
    ['Unknown', 413, 'STORE_TOO_LARGE'],
    ['EntityTooSmall', 400, 'STORE_REJECTED'],
    ['InvalidPartOrder', 400, 'STORE_REJECTED'],
    ['QuotaExceeded', 403, 'STORE_REJECTED'],
    ['XMinioAdminBucketQuotaExceeded', 400, 'STORE_REJECTED'],
    ['InsufficientStorageSpace', 403, 'STORE_REJECTED'],
    ['PermanentRedirect', 301, 'STORE_REJECTED'],
    ['AuthorizationHeaderMalformed', 400, 'STORE_REJECTED'],
    ['IllegalLocationConstraintException', 400, 'STORE_REJECTED'],
    ['InvalidRequest', 400, 'STORE_REJECTED'],
    ['NotImplemented', 501, 'STORE_REJECTED'],
    ['MissingContentLength', 411, 'STORE_REJECTED'],
    ['PreconditionFailed', 412, 'STORE_REJECTED'],
    ['MethodNotAllowed', 405, 'STORE_REJECTED'],
  ])('%s with status %i means %s', (name, status, code) => {
    const cause = answer(name, status)
    const error = translateS3Error(cause, 'my-bucket')
    expect(error).toBeInstanceOf(StoreError)
    expect(error).toMatchObject({ code, retryable: passing.includes(code), cause })
    expect(error.message).toContain('"my-bucket"')
  })

  it('tells what was said, and with which status', () => {
    const { message } = translateS3Error(answer('InternalError', 500), 'b')
    expect(message).toBe(
      'The object store said: InternalError, what the store said (bucket "b", status 500).',
    )
  })

  it('tells the code alone where the store said no more', () => {
    const cause = answer('InternalError', 500)
    cause.message = 'UnknownError'
    expect(translateS3Error(cause, 'b').message).toBe(
      'The object store said: InternalError (bucket "b", status 500).',
    )
  })

  it('tells the status where a HEAD has no code', () => {
    const cause = new NotFound({ message: 'NotFound', $metadata: { httpStatusCode: 404 } })
    expect(translateS3Error(cause, 'b').message).toContain('HTTP 404')
  })

  it.each([
    ['NoSuchBucket', 404, 'S3_BUCKET'],
    ['AccessDenied', 403, 'credentials'],
    ['ExpiredToken', 400, 'credentials are renewed'],
    ['RequestTimeTooSkewed', 403, 'clock'],
    ['QuotaExceeded', 403, 'quota'],
    ['XMinioStorageFull', 507, 'room'],
    ['Unknown', 413, 'proxy'],
    ['PermanentRedirect', 301, 'S3_REGION'],
    ['InvalidRequest', 400, 'S3_CHECKSUMS'],
  ])('tells what can be done about %s with status %i', (name, status, words) => {
    expect(translateS3Error(answer(name, status), 'b').hint).toContain(words)
  })
})

describe('no answer of the object store', () => {
  it.each([
    [new Error('connect ECONNREFUSED 127.0.0.1:9000'), 'connect ECONNREFUSED 127.0.0.1:9000'],
    [new AggregateError([new Error('first'), new Error('second')]), 'first, second'],
    [new Error(''), 'Error'],
    ['a string', 'a string'],
  ])('means that it is unavailable for now: %s', (cause, reason) => {
    const error = translateS3Error(cause, 'b')
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, cause })
    expect(error.message).toBe(`The object store cannot be reached: ${reason}.`)
    expect(error.hint).toContain('S3_ENDPOINT')
  })

  it('means a lack of credentials, when there are none', () => {
    const cause = Object.assign(new Error('nothing found'), { name: 'CredentialsProviderError' })
    const error = translateS3Error(cause, 'b')
    expect(error).toMatchObject({ code: 'STORE_DENIED', retryable: false, cause })
    expect(error.hint).toContain('AWS_ACCESS_KEY_ID')
  })

  it('passes our own errors on as they are', () => {
    const error = new SourceError('SOURCE_TIMEOUT', 'x')
    expect(translateS3Error(error, 'b')).toBe(error)
  })
})
