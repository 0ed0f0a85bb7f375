import type net from 'node:net'
import { createValve, type Cut, type Valve } from './fault-valve.ts'
import type { Fault } from './fault.ts'

/** How long a side may take to read what was sent before the end, ms. */
const lingerMs = 1000

/** A connection through the proxy: the client's socket, and the one to the server. */
export interface FaultConnection {
  strike(fault: Fault | undefined): void
  /** Ends it at once, also one that is silent. */
  destroy(): void
  readonly closed: Promise<void>
}

/**
 * Relays between two sockets, no faster than each is read, and as faults want it. A half that is closed,
 * and a reset, reach the other side, too.
 * @param answerTo looks at each chunk of the client: what it returns is sent back, and the end of it
 */
export function connectThrough(
  near: net.Socket,
  far: net.Socket,
  answerTo: (chunk: Buffer) => string | undefined,
): FaultConnection {
  const sockets = [near, far]
  const valves = { client: createValve('client', cut), server: createValve('server', cut) }
  let lost = false

  function cut(how: Cut): void {
    for (const valve of [valves.client, valves.server]) valve.close()
    for (const socket of sockets) {
      if (how === 'reset') socket.resetAndDestroy()
      else socket.end()
    }
    if (how === 'drop') setTimeout(destroy, lingerMs).unref()
  }

  /** Nothing comes through any more: the server hears so, the client does not. */
  function lose(): void {
    lost = true
    for (const valve of [valves.client, valves.server]) valve.close()
    far.resetAndDestroy()
  }

  function destroy(): void {
    for (const valve of [valves.client, valves.server]) valve.close()
    for (const socket of sockets) socket.destroy()
  }

  /** Goes on reading after a cut, too: bytes that nobody reads would turn its FIN into an RST. */
  async function pump(source: net.Socket, sink: net.Socket, valve: Valve): Promise<void> {
    const how = await forward(source, sink, valve)
    // a connection that is silent does not tell of its end either
    await valve.heard()
    if (lost && source === near) near.destroy()
    if (lost) return
    if (how === 'end') sink.end()
    else for (const socket of sockets) socket.resetAndDestroy()
  }

  /** Passes bytes on. @returns how the source ended */
  async function forward(source: net.Socket, sink: net.Socket, valve: Valve) {
    try {
      for await (const chunk of source.iterator({ destroyOnReturn: false })) {
        const asks = source === near && near.writable
        const answer = asks ? answerTo(chunk as Buffer) : undefined
        if (answer !== undefined) {
          near.write(answer)
          cut('drop')
        }
        for await (const piece of valve.pass(chunk as Buffer)) await write(sink, piece)
      }
      return 'end'
    } catch {
      return 'reset'
    }
  }

  void pump(near, far, valves.client)
  void pump(far, near, valves.server)
  return {
    strike(fault) {
      if (valves.client.silentForGood() || valves.server.silentForGood()) lose()
      for (const valve of [valves.client, valves.server]) valve.strike(fault)
    },
    destroy,
    closed: Promise.all(sockets.map(untilClosed)).then(() => undefined),
  }
}

/** Resolves when there is room for more; what comes after the end is thrown away. */
async function write(sink: net.Socket, piece: Buffer): Promise<void> {
  if (!sink.writable || sink.write(piece)) return
  await new Promise<void>((resolve) => {
    const done = () => {
      for (const event of ['drain', 'finish', 'close']) sink.off(event, done)
      resolve()
    }
    for (const event of ['drain', 'finish', 'close']) sink.on(event, done)
  })
}

const untilClosed = (socket: net.Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
