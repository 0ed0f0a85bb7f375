/**
 * Sends requests to a server, as a process of its own: so that it measures the server's event loop, not the
 * one that it would share. Reads a `Load` as JSON from stdin, and writes a `LoadResult` to stdout.
 */
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectLean, type LeanClient } from './lean-client.ts'
import { processorTime, stolenShare } from './processor-time.ts'

export interface Load {
  readonly url: string
  /** In turn. */
  readonly requests: readonly LoadRequest[]
  readonly headers: Readonly<Record<string, string>>
  readonly total: number
  /**
   * Each is sent when it is due, whatever became of those before it, and its time counts from then: a server that
   * stops answers late what was due meanwhile. Undefined: as fast as the connections let them.
   */
  readonly perSecond?: number
  readonly connections: number
}

export interface LoadRequest {
  readonly method: string
  readonly path: string
  readonly body?: string
}

export interface LoadResult {
  readonly seconds: number
  /** Of answers, ms. */
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** How late this process itself was, ms: near to p99 it is this that was measured. */
  readonly lateP99: number
  /** Of the processors' time, what the machine's host gave to others, 0 to 1: it makes all of these longer. */
  readonly stolen: number
  /** Answers that were no success, by what they were. */
  readonly failures: Readonly<Record<string, number>>
}

const load = JSON.parse(await text(process.stdin)) as Load
const { host } = new URL(load.url)
const messages = load.requests.map(({ method, path, body }) => {
  const ofBody =
    body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
  const headers = Object.entries({ host, ...load.headers, ...ofBody })
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `${method} ${path} HTTP/1.1\r\n${lines}\r\n${body ?? ''}`
})
const clients = await Promise.all(
  Array.from({ length: load.connections }, () => connectLean(load.url)),
)
const latencies: number[] = []
const lateness: number[] = []
const failures: Record<string, number> = {}

async function send(client: LeanClient, number: number, dueAt: number): Promise<void> {
  const outcome = await client
    .send(messages[number % messages.length]!)
    .catch((error: unknown) => String(error))
  latencies.push(performance.now() - dueAt)
  if (typeof outcome === 'string' || outcome >= 300) {
    failures[outcome] = (failures[outcome] ?? 0) + 1
  }
}

/** What is due and finds no free connection goes over the next one that is, in its order. */
async function sendWhenDue(perSecond: number, startedAt: number): Promise<void> {
  const dueAt = (number: number) => startedAt + (number / perSecond) * 1000
  const free = [...clients]
  let next = 0
  let due = 0
  function sendDue(): void {
    while (next < due) {
      const client = free.pop()
      if (client === undefined) return
      const number = next++
      void send(client, number, dueAt(number)).then(() => {
        free.push(client)
        sendDue()
      })
    }
  }
  while (latencies.length < load.total) {
    const now = performance.now()
    const before = due
    due = Math.min(load.total, 1 + Math.floor(((now - startedAt) / 1000) * perSecond))
    for (let number = before; number < due; number++) lateness.push(now - dueAt(number))
    sendDue()
    await sleep(1)
  }
}

async function sendAtOnce(): Promise<void> {
  let next = 0
  const sendOn = async (client: LeanClient) => {
    while (next < load.total) await send(client, next++, performance.now())
  }
  await Promise.all(clients.map(sendOn))
}

const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN

const usedBefore = processorTime()
const startedAt = performance.now()
await (load.perSecond === undefined ? sendAtOnce() : sendWhenDue(load.perSecond, startedAt))
const seconds = (performance.now() - startedAt) / 1000
for (const client of clients) client.close()
const result: LoadResult = {
  seconds,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  longest: percentile(latencies, 1),
  lateP99: percentile(lateness, 0.99),
  stolen: stolenShare(usedBefore, processorTime()),
  failures,
}
process.stdout.write(JSON.stringify(result))
