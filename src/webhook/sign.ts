import { createHmac } from 'node:crypto'

export interface SignedParts {
  /** Of the message: the same with every try. */
  readonly id: string
  /** Of this try, seconds since 1970. */
  readonly seconds: number
  readonly body: string
}

/**
 * The headers of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, time and body, so that whoever
 * has the key can tell that the body is ours, and no older than they accept.
 */
export function signatureHeaders(
  key: Buffer,
  { id, seconds, body }: SignedParts,
): Readonly<Record<string, string>> {
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': `v1,${signature}`,
  }
}
