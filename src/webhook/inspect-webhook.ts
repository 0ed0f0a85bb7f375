import { connect as connectPlainly, isIP, type LookupFunction, type Socket } from 'node:net'
import { connect as connectByTls } from 'node:tls'
import type { Asking, WebhookInspection } from '../doctor/ports.ts'
import { untilAborted } from '../runtime/abort.ts'
import { hostOf } from '../runtime/private-address.ts'
import { assertPublicHost, publicLookup, type Resolve } from './public-lookup.ts'
import type { WebhookTarget } from './send-webhook.ts'
import { unreachedBy } from './unreached-by.ts'

/** Looks whether the receiver could be called, by the rules of calls; a call itself would wake somebody. */
export function inspectWebhook(
  { url: text, allowPrivate }: Omit<WebhookTarget, 'key'>,
  { resolve }: { readonly resolve?: Resolve } = {},
): WebhookInspection {
  const url = new URL(text)
  return {
    origin: url.origin,
    async connect(asking) {
      try {
        if (!allowPrivate) assertPublicHost(url)
        await openOnce(url, allowPrivate ? undefined : publicLookup(resolve), asking)
        return undefined
      } catch (error) {
        asking.signal.throwIfAborted()
        return unreachedBy(error)
      }
    },
  }
}

/** As a request does it, up to its first byte. @throws what the connection met, the signal's reason */
async function openOnce(
  url: URL,
  lookup: LookupFunction | undefined,
  { signal }: Asking,
): Promise<void> {
  const host = hostOf(url)
  const isSecure = url.protocol === 'https:'
  const port = url.port === '' ? (isSecure ? 443 : 80) : Number(url.port)
  const to = { host, port, ...(lookup === undefined ? {} : { lookup }) }
  // an address has no name that a server could choose a certificate by
  const servername = isIP(host) === 0 ? host : ''
  const socket: Socket = isSecure
    ? connectByTls({ ...to, servername, ALPNProtocols: ['http/1.1'] })
    : connectPlainly(to)
  const opened = new Promise<void>((resolve, reject) => {
    socket.on(isSecure ? 'secureConnect' : 'connect', () => resolve())
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('the connection was closed at once')))
  })
  try {
    await untilAborted(opened, signal)
  } finally {
    socket.destroy()
  }
}
