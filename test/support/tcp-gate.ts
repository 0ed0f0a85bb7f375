import net from 'node:net'
import type { Release } from './database.ts'

export interface TcpGate {
  /** Of the other side, through the gate. */
  readonly url: string
  /** Breaks every connection, and refuses new ones. */
  shut(): Promise<void>
  open(): Promise<void>
}

/** A TCP relay in front of the server of `target`, so that a test can take that server away. */
export async function createTcpGate(target: string, release: Release): Promise<TcpGate> {
  const url = new URL(target)
  const [host, targetPort] = [url.hostname, Number(url.port)]
  const sockets = new Set<net.Socket>()
  const server = net.createServer((near) => {
    const far = net.connect(targetPort, host)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far).pipe(near)
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const shut = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  await listen(0)
  const { port } = server.address() as net.AddressInfo
  url.host = `127.0.0.1:${port}`
  release(shut)
  return { url: url.href, shut, open: () => listen(port) }
}
