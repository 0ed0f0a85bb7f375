import { S3Client } from '@aws-sdk/client-s3'
import { applyObjectSettings, type ObjectSettings } from './object-settings.ts'
import { createRequestHandler, type Patience } from './request-handler.ts'
import { leavePayloadUnsigned } from './unsigned-payload.ts'

export interface S3Settings extends ObjectSettings {
  readonly bucket: string
  /** Absent: AWS's own endpoint of the region. */
  readonly endpoint?: string | undefined
  readonly region?: string | undefined
  readonly forcePathStyle: boolean
  /** `when_required` for stores that reject the newer checksums. */
  readonly checksums: 'when_supported' | 'when_required'
}

/** Credentials come by the AWS default chain. The caller destroys the client. */
export function createS3Client(
  { endpoint, region, forcePathStyle, checksums, ...object }: Omit<S3Settings, 'bucket'>,
  patience?: Patience,
): S3Client {
  const policy = checksums === 'when_supported' ? 'WHEN_SUPPORTED' : 'WHEN_REQUIRED'
  const client = new S3Client({
    forcePathStyle,
    requestChecksumCalculation: policy,
    responseChecksumValidation: policy,
    requestHandler: createRequestHandler(patience),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
  })
  leavePayloadUnsigned(client)
  applyObjectSettings(client, object)
  return client
}
