import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Release } from './release.ts'

export interface ReceivedCall {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface WebhookReceiver {
  readonly url: string
  readonly calls: readonly ReceivedCall[]
  /** Sockets that are open now. */
  readonly open: () => number
}

/** What it does with a call, the first of which is 0. */
export type Answering = (response: ServerResponse, nth: number) => void

/** A receiver of webhooks on this machine. @param answer default: 204 */
export async function startWebhookReceiver(
  release: Release,
  answer: Answering = (response) => response.writeHead(204).end(),
): Promise<WebhookReceiver> {
  const calls: ReceivedCall[] = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      calls.push({ path: request.url ?? '', headers: request.headers, body })
      answer(response, calls.length - 1)
    })
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  release(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  )
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/services/hush-token`, calls, open: () => sockets.size }
}
