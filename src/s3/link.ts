import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl, S3RequestPresigner } from '@aws-sdk/s3-request-presigner'
import type { Link, LinkOptions } from '../export/ports.ts'

/** Signature version 4 allows no longer: "Authenticating requests: query parameters", S3 API reference. */
const maxLinkSeconds = 7 * 24 * 3600

/** Signs a link to one object. Does not look whether it exists. */
export type SignLink = (key: string, options: LinkOptions) => Promise<Link>

/** Signs what it is given, as of `signingDate`. */
type SignUrl = (request: LinkRequest) => Promise<string>

interface LinkRequest extends LinkOptions {
  readonly key: string
  readonly expiresIn: number
  readonly signingDate: Date
}

/** A link is given again for so much of its life: many ask for the same one, again and again. */
const sharedLife = 0.01

/** Links that are kept, at most. */
const maxKept = 10_000

/**
 * Signs links to the objects of a bucket, each with 99 to 100 % of its life before it. Their end is never later than
 * that of the credentials that sign them: with temporary credentials the store would refuse them from then
 * on, whatever they say.
 */
export function createLinkSigner(client: S3Client, bucket: string): SignLink {
  let signing: Promise<SignUrl> | undefined
  const kept = new Map<string, Link>()
  let keptFor = ''

  async function sign(request: LinkRequest): Promise<Link> {
    signing ??= learnToSign(client, bucket)
    const signUrl = await signing.catch((error: unknown) => {
      signing = undefined
      throw error
    })
    const url = await signUrl(request)
    return { url, expiresAt: new Date(request.signingDate.getTime() + request.expiresIn * 1000) }
  }

  return async (key, options) => {
    const { accessKeyId, expiration } = await client.config.credentials()
    const untilExpiration =
      expiration === undefined ? Infinity : (expiration.getTime() - Date.now()) / 1000
    const longest = Math.min(options.ttlSeconds, maxLinkSeconds, untilExpiration)
    const expiresIn = Math.max(1, Math.floor(longest))
    // the signature has whole seconds only: what it leaves out would be promised, but not given
    const stepMs = Math.max(1, Math.floor(expiresIn * sharedLife)) * 1000
    const signingDate = new Date(Math.floor(Date.now() / stepMs) * stepMs)

    const current = `${signingDate.getTime()} ${expiresIn} ${accessKeyId}`
    if (keptFor !== current || kept.size >= maxKept) kept.clear()
    keptFor = current
    const name = JSON.stringify([key, options.fileName, options.contentType])
    const known = kept.get(name)
    if (known !== undefined) return known
    const link = await sign({ ...options, key, expiresIn, signingDate })
    if (keptFor === current) kept.set(name, link)
    return link
  }
}

/**
 * The SDK finds out anew for each link where the bucket is: nine tenths of the millisecond that a link takes, of which
 * a list has a hundred. So it is asked once, for a link to look at; where that is not signed in the
 * ordinary way, as in buckets of S3 Express, it is asked each time.
 */
async function learnToSign(client: S3Client, bucket: string): Promise<SignUrl> {
  const bySdk: SignUrl = ({ key, fileName, contentType, expiresIn, signingDate }) =>
    getSignedUrl(
      client,
      new GetObjectCommand({
        Bucket: bucket,
        Key: key,
        ResponseContentType: contentType,
        ResponseContentDisposition: disposition(fileName),
      }),
      { expiresIn, signingDate },
    )
  const example = await bySdk({
    ...{ key: 'k', fileName: 'f', contentType: 't', ttlSeconds: 1 },
    ...{ expiresIn: 1, signingDate: new Date() },
  })
  const { protocol, hostname, port, pathname, searchParams } = new URL(example)
  const scope = searchParams.get('X-Amz-Credential')?.split('/').slice(-3) ?? []
  const [region, service] = scope
  const isOrdinary = searchParams.get('X-Amz-Algorithm') === 'AWS4-HMAC-SHA256' && service === 's3'
  if (!isOrdinary || region === undefined || !pathname.endsWith('/k')) return bySdk

  const presigner = new S3RequestPresigner({ ...client.config, region })
  const constant = [...searchParams].filter(([name]) => !/^(X-Amz-|response-)/.test(name))
  return async ({ key, fileName, contentType, expiresIn, signingDate }) => {
    const request = {
      ...{ method: 'GET', protocol, hostname, headers: {} },
      ...(port === '' ? {} : { port: Number(port) }),
      path: pathname.slice(0, -1) + key.split('/').map(escape).join('/'),
      query: {
        ...Object.fromEntries(constant),
        'response-content-type': contentType,
        'response-content-disposition': disposition(fileName),
      },
    }
    const signed = await presigner.presign(request, { expiresIn, signingDate })
    const query = Object.entries(signed.query ?? {})
      .map(([name, value]) => `${escape(name)}=${escape(String(value))}`)
      .sort()
    const origin = `${protocol}//${hostname}${port === '' ? '' : `:${port}`}`
    return `${origin}${signed.path}?${query.join('&')}`
  }
}

const disposition = (fileName: string) => `attachment; filename="${fileName}"`

/** As signatures want it: what encodeURIComponent leaves of the reserved characters of RFC 3986, too. */
const escape = (text: string) =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
