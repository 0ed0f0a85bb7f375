import http from 'node:http'
import net from 'node:net'
import type { Asking, PortFacts, PortProbe } from '../doctor/ports.ts'
import { abortAfter } from '../runtime/abort.ts'

/** How a process of Longhaul answers `/healthz`. */
const alive = '{"status":"ok"}'

/** Who has not said so by then is somebody else, ms. */
const patienceMs = 2000

/** Looks who answers at an address of this machine; where nobody does, whether one could. */
export const probePort: PortProbe = async (host, port, asking) => {
  if (await isTaken(host, port, asking)) {
    return { state: (await isLonghaul(host, port, asking)) ? 'longhaul' : 'stranger' }
  }
  return listenOnce(host, port)
}

/** What listens on all addresses is asked on this machine's own. */
const near = (host: string) => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)

const isTaken = (host: string, port: number, { signal }: Asking) =>
  new Promise<boolean>((resolve) => {
    const socket = net.connect({ host: near(host), port, signal })
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })

const isLonghaul = (host: string, port: number, { signal }: Asking) =>
  new Promise<boolean>((resolve) => {
    const limit = abortAfter(patienceMs, signal)
    const address = { host: near(host), port, path: '/healthz', agent: false, signal: limit }
    const request = http.get(address, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        if (text.length > alive.length) request.destroy()
      })
      const named = response.headers['x-request-id'] !== undefined
      response.on('close', () => resolve(named && text === alive))
      response.on('error', () => resolve(false))
    })
    request.on('error', () => resolve(false))
  })

const listenOnce = (host: string, port: number) =>
  new Promise<PortFacts>((resolve) => {
    const server = net.createServer()
    server.once('error', ({ code = 'no reason' }: NodeJS.ErrnoException) =>
      resolve(
        code === 'EADDRINUSE' ? { state: 'stranger' } : { state: 'impossible', reason: code },
      ),
    )
    server.listen({ host, port, exclusive: true }, () =>
      server.close(() => resolve({ state: 'free' })),
    )
  })
