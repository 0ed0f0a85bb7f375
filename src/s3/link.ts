import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { Link, LinkOptions } from '../export/ports.ts'

/** Signature version 4 allows no longer: "Authenticating requests: query parameters", S3 API reference. */
const maxLinkSeconds = 7 * 24 * 3600

/**
 * Signs a link to one object. Its end is never later than that of the credentials that signed it:
 * with temporary credentials the store would refuse it from then on, whatever the link says.
 */
export async function signLink(
  client: S3Client,
  bucket: string,
  key: string,
  { ttlSeconds, fileName, contentType }: LinkOptions,
): Promise<Link> {
  // the signature has whole seconds only: what it leaves out would be promised, but not given
  const signingDate = new Date(Math.floor(Date.now() / 1000) * 1000)
  const { expiration } = await client.config.credentials()
  const left =
    expiration === undefined ? Infinity : (expiration.getTime() - signingDate.getTime()) / 1000
  const expiresIn = Math.max(1, Math.floor(Math.min(ttlSeconds, maxLinkSeconds, left)))
  const request = new GetObjectCommand({
    Bucket: bucket,
    Key: key,
    ResponseContentType: contentType,
    ResponseContentDisposition: `attachment; filename="${fileName}"`,
  })
  const url = await getSignedUrl(client, request, { expiresIn, signingDate })
  return { url, expiresAt: new Date(signingDate.getTime() + expiresIn * 1000) }
}
