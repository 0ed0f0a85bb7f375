import { once } from 'node:events'
import net from 'node:net'
import { connectThrough, type FaultConnection } from './fault-connection.ts'
import type { Fault, FaultKind } from './fault.ts'
import type { Release } from './release.ts'
import { requestMethod, storeAnswer } from './store-answer.ts'

/** Decides for each new connection, numbered from 1; it is relayed once that is decided. */
export type FaultPlan = (connection: number) => Fault | undefined | Promise<Fault | undefined>

export interface FaultProxy {
  /** Of the server, through the proxy. */
  readonly url: string
  /** Ends all connections, as those that are kept for reuse know nothing of the plan; counts anew. */
  plan(next: FaultPlan): void
  /** Since the plan. */
  connections(): number
  /** Strikes every connection, those that are there and new ones, until it is healed or struck otherwise. */
  strike(fault: Fault): void
  /** Ends what was struck and what was planned; connections that still stand go on. */
  heal(): void
  /** Breaks every connection, and refuses new ones. */
  shut(): Promise<void>
  open(): Promise<void>
}

export interface FaultProxyOptions {
  /** On loopback; default any free one. */
  readonly port?: number
}

/**
 * A TCP relay in front of the server of `target`, PostgreSQL, S3 or any other; it does nothing to a
 * connection until it is told. Needs no test runner.
 */
export async function createFaultProxy(
  target: string,
  release: Release,
  { port = 0 }: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const url = new URL(target)
  const [host, targetPort] = [url.hostname, Number(url.port)]
  const undecided = new Set<net.Socket>()
  const connections = new Set<FaultConnection>()
  let plan: FaultPlan = () => undefined
  let count = 0
  let struck: Fault | undefined

  async function accept(near: net.Socket): Promise<void> {
    near.on('error', () => undefined)
    undecided.add(near)
    const planned = await plan(++count)
    undecided.delete(near)
    if (near.destroyed) return
    const far = net.connect({ port: targetPort, host, allowHalfOpen: true })
    far.on('error', () => undefined)
    const connection = connectThrough(near, far, answerTo)
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
    connection.strike(struck ?? planned)
  }

  let answering: (FaultKind & { readonly then: 'answer' }) | undefined
  let answersLeft = 0

  function answerTo(chunk: Buffer): string | undefined {
    const method = answering === undefined ? undefined : requestMethod(chunk)
    if (answering === undefined || method === undefined || answersLeft === 0) return undefined
    answersLeft -= 1
    return storeAnswer(answering.answer, method)
  }

  function destroyAll(): void {
    for (const connection of [...undecided, ...connections]) connection.destroy()
  }

  const server = net.createServer({ allowHalfOpen: true }, (near) => void accept(near))
  async function listen(at: number): Promise<number> {
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as net.AddressInfo).port
  }
  async function shut(): Promise<void> {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    destroyAll()
    await closed
  }

  const taken = await listen(port)
  release(shut)
  url.host = `127.0.0.1:${taken}`
  return {
    // as it was given: an endpoint has no slash at its end
    url: target.endsWith('/') ? url.href : url.href.replace(/\/$/, ''),
    plan(next) {
      plan = next
      count = 0
      destroyAll()
    },
    connections: () => count,
    strike(fault) {
      answering = fault.then === 'answer' ? fault : undefined
      answersLeft = answering?.requests ?? Infinity
      struck = answering === undefined ? fault : undefined
      for (const connection of connections) connection.strike(struck)
    },
    heal() {
      plan = () => undefined
      answering = undefined
      struck = undefined
      for (const connection of connections) connection.strike(undefined)
    },
    shut,
    async open() {
      if (!server.listening) await listen(taken)
    },
  }
}
