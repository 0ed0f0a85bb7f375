import type { S3Client } from '@aws-sdk/client-s3'

const digestHeader = 'x-amz-content-sha256'
const checksumHeader = /^x-amz-checksum-(crc|sha)/
const checksumField = /^Checksum(CRC|SHA)/

/** What the SDK makes of a command before it signs it. */
interface Unsigned {
  readonly headers: Record<string, string>
  readonly body?: unknown
}

/**
 * Where the checksum of a body goes along with it, the signature covers that one, and not a SHA-256 of the body, too,
 * which is a tenth of what an export costs (docs/performance.md). Only once the store has answered with a
 * checksum: one that knows none would take the bytes for what they are. `UNSIGNED-PAYLOAD` is part of the
 * protocol ("Authenticating Requests: Using the Authorization Header", S3 API reference).
 */
export function leavePayloadUnsigned(client: S3Client): void {
  let verifies = false
  client.middlewareStack.add(
    (next) => async (args) => {
      const { headers, body } = args.request as Unsigned
      const summed = Object.keys(headers).some((name) => checksumHeader.test(name.toLowerCase()))
      if (verifies && summed && ArrayBuffer.isView(body)) headers[digestHeader] = 'UNSIGNED-PAYLOAD'
      const result = await next(args)
      verifies ||=
        summed &&
        Object.entries(result.output).some(([name, value]) => value && checksumField.test(name))
      return result
    },
    // behind the SDK's own that adds the checksum, and before it signs
    { step: 'build', priority: 'low', name: 'leavePayloadUnsigned' },
  )
}
