import type { AgentOptions } from 'node:http'
import { NodeHttpHandler } from '@smithy/node-http-handler'

/** How long a connection may be silent before its request is given up, ms; the SDK then repeats it. */
export interface Patience {
  readonly usualMs: number
  /** With the completion of an upload, and with a copy within the store. */
  readonly completionMs: number
}

const connectionTimeoutMs = 10_000

/**
 * Completing an upload is one request, which may take minutes for a large object
 * ("CompleteMultipartUpload", S3 API reference). AWS sends blanks meanwhile; other stores send
 * nothing. It is the watchdog of an attempt that gives up first, so that its limit is the one that counts.
 */
const defaultPatience: Patience = { usualMs: 60_000, completionMs: 20 * 60_000 }

/**
 * What the SDK sends its requests through. By default it waits for ever; a limit to silence, and not
 * to the whole of a request, lets a slow upload be slow. The handler of the SDK knows one such limit
 * for all requests, hence two of them.
 */
export function createRequestHandler(patience: Patience = defaultPatience) {
  const withPatience = (socketTimeout: number, agent: AgentOptions) =>
    new NodeHttpHandler({
      connectionTimeout: connectionTimeoutMs,
      socketTimeout,
      httpAgent: agent,
      httpsAgent: agent,
    })
  const usual = withPatience(patience.usualMs, {})
  // a connection that was kept may have been forgotten by a router since, which would not be noticed for long
  const patient = withPatience(patience.completionMs, { keepAlive: false, maxSockets: Infinity })
  const handle: NodeHttpHandler['handle'] = (request, options) =>
    (completesUpload(request) || copies(request) ? patient : usual).handle(request, options)
  const updateHttpClientConfig: NodeHttpHandler['updateHttpClientConfig'] = (key, value) => {
    usual.updateHttpClientConfig(key, value)
    patient.updateHttpClientConfig(key, value)
  }
  return {
    metadata: usual.metadata,
    handle,
    updateHttpClientConfig,
    httpHandlerConfigs: () => usual.httpHandlerConfigs(),
    destroy() {
      usual.destroy()
      patient.destroy()
    },
  }
}

/** The one POST of the protocol that names an upload. */
const completesUpload = ({ method, query }: Parameters<NodeHttpHandler['handle']>[0]) =>
  method === 'POST' && 'uploadId' in query

/** A store answers once it has copied, which is as much work as an upload. */
const copies = ({ headers }: Parameters<NodeHttpHandler['handle']>[0]) =>
  'x-amz-copy-source' in headers
