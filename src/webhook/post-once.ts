import { request as requestByHttp } from 'node:http'
import { request as requestByHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { version } from '../version.ts'
import { assertPublicHost } from './public-lookup.ts'

export interface Post {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Undefined: any address will do. */
  readonly lookup: LookupFunction | undefined
}

export interface Answer {
  readonly status: number
  /** How long it asks to wait before another try, ms. */
  readonly retryAfterMs?: number
}

/**
 * Posts JSON on a connection of its own, and reads no more of the answer than its headers. Redirects are answers like others: they
 * are not followed.
 * @throws PrivateAddress; what the connection met; the signal's reason
 */
export async function postOnce(
  { url, headers, body, lookup }: Post,
  { signal }: { readonly signal: AbortSignal },
): Promise<Answer> {
  if (lookup !== undefined) assertPublicHost(url)
  const request = url.protocol === 'https:' ? requestByHttps : requestByHttp
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        method: 'POST',
        agent: false,
        signal,
        ...(lookup === undefined ? {} : { lookup }),
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          'user-agent': `longhaul/${version}`,
        },
      },
      (response) => {
        const { statusCode = 0, headers: answered } = response
        const seconds = Number(answered['retry-after'] ?? NaN)
        resolve({
          status: statusCode,
          ...(seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {}),
        })
        response.on('error', () => undefined)
        // whatever follows is nobody's business, however long it is
        sent.destroy()
      },
    )
    sent.on('error', (error) => {
      reject(signal.aborted ? (signal.reason as Error) : error)
    })
    // without an error, too: an answer of 101 that nobody listens to ends the connection
    sent.on('close', () => reject(new Error('the connection was closed without an answer')))
    sent.end(body)
  })
}
