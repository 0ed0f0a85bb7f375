import net from 'node:net'
import type { Release } from './database.ts'

/** What happens to a connection on which so many bytes have come from the server. */
export interface Fault {
  readonly afterBytes: number
  /** `cut` ends the connection; `stall` leaves it open, and relays nothing more. */
  readonly then: 'cut' | 'stall'
}

/** Decides for each new connection, numbered from 1; it is relayed once that is decided. */
export type FaultPlan = (connection: number) => Fault | undefined | Promise<Fault | undefined>

export interface FaultyProxy {
  /** Of the server, through the proxy. */
  readonly url: string
  /** Ends all connections, as those that are kept for reuse know nothing of the plan; counts anew. */
  plan(next: FaultPlan): void
  /** Since the plan. */
  connections(): number
}

/** A TCP relay in front of the server of `target`; it does nothing to a connection until it is told. */
export async function createFaultyProxy(target: string, release: Release): Promise<FaultyProxy> {
  const url = new URL(target)
  const [host, targetPort] = [url.hostname, Number(url.port)]
  const sockets = new Set<net.Socket>()
  let plan: FaultPlan = () => undefined
  let connections = 0

  async function relay(near: net.Socket): Promise<void> {
    keep(near)
    const fault = await plan(++connections)
    const far = keep(net.connect(targetPort, host))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroySoon())
    near.pipe(far)
    pour(far, near, fault)
  }

  function keep(socket: net.Socket): net.Socket {
    sockets.add(socket)
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  }

  const server = net.createServer((near) => void relay(near))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url.host = `127.0.0.1:${(server.address() as net.AddressInfo).port}`
  release(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  )
  return {
    url: url.href,
    plan(next) {
      plan = next
      connections = 0
      for (const socket of sockets) socket.destroy()
    },
    connections: () => connections,
  }
}

/** Relays what the server sends, no faster than it is read, until the fault. */
function pour(far: net.Socket, near: net.Socket, fault: Fault | undefined): void {
  let left = fault?.afterBytes ?? Infinity
  far.on('data', (chunk: Buffer) => {
    const taken = chunk.subarray(0, left)
    left -= taken.length
    if (left > 0) {
      if (!near.write(taken)) far.pause()
      return
    }
    far.pause().removeAllListeners('data')
    near.removeAllListeners('drain')
    near.write(taken, () => {
      if (fault?.then === 'cut') near.destroy()
    })
  })
  near.on('drain', () => far.resume())
}
