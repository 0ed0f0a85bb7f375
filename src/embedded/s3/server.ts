import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIPv6, type AddressInfo } from 'node:net'
import { assertUnclaimed, claimFolder, releaseFolder } from './claim.ts'
import { handleRequest, type HandlerDeps } from './handle-request.ts'
import { openStore } from './store.ts'

export interface S3ServerOptions {
  /** Everything is kept here; made if it is missing. One server at a time. */
  readonly dir: string
  readonly host?: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  readonly region?: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Made if they are missing. */
  readonly buckets?: readonly string[]
}

export interface S3Server {
  readonly port: number
  readonly url: string
  /** Ends idle and active connections, and returns when no request is at work any more. */
  close(): Promise<void>
}

const minuteMs = 60_000

/**
 * Starts a server of the S3 protocol over a folder: for trying out and testing, never for production. It
 * takes path-style requests signed with the one pair of keys.
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const { dir, host = '127.0.0.1', port = 0, region = 'us-east-1' } = options
  const { accessKeyId, secretAccessKey } = options
  await assertUnclaimed(dir)
  const instance = randomUUID()
  const store = openStore(dir)
  const existing = new Set(store.buckets().map(({ name }) => name))
  for (const name of options.buckets ?? []) if (!existing.has(name)) store.createBucket(name)
  const deps: HandlerDeps = {
    store,
    region,
    instance,
    account: { accessKeyId, secretAccessKey, region },
    report: (error) => process.stderr.write(`embedded S3: ${describe(error)}\n`),
  }
  const active = new Set<Promise<void>>()
  const server = createServer({
    // an upload may take as long as it keeps moving
    requestTimeout: 0,
    keepAliveTimeout: minuteMs,
    maxHeaderSize: 32 * 1024,
  })
  server.setTimeout(5 * minuteMs)
  const handle = (incoming: IncomingMessage, response: ServerResponse): void => {
    const handling = handleRequest(deps, incoming, response)
    active.add(handling)
    void handling.finally(() => active.delete(handling))
  }
  server.on('request', handle)
  server.on('checkContinue', handle)
  server.listen(port, host)
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${address.port}`
  claimFolder(dir, { url, instance })

  async function stop(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
    await Promise.all(active)
    releaseFolder(dir)
  }
  let stopping: Promise<void> | undefined
  return {
    port: address.port,
    url,
    close: () => (stopping ??= stop()),
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
