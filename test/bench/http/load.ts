/**
 * Sends requests to a server, as a process of its own: so that it measures the server's event loop, not the
 * one that it would share. Reads a `Load` as JSON from stdin, and writes a `LoadResult` to stdout.
 */
import http from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Load {
  readonly url: string
  /** In turn. */
  readonly requests: readonly {
    readonly method: string
    readonly path: string
    readonly body?: string
  }[]
  readonly headers: Readonly<Record<string, string>>
  readonly total: number
  /**
   * Each is sent when it is due, whatever became of those before it, and its time counts from then: a server that
   * stops answers late what was due meanwhile. Undefined: as fast as the connections let them.
   */
  readonly perSecond?: number
  readonly connections: number
}

export interface LoadResult {
  readonly seconds: number
  /** Of answers, ms. */
  readonly p50: number
  readonly p99: number
  readonly longest: number
  /** How late this process itself sent, ms: near to p99 it is this that was measured. */
  readonly sentLateP99: number
  /** Answers that were no success, by what they were. */
  readonly failures: Readonly<Record<string, number>>
}

const load = JSON.parse(await text(process.stdin)) as Load
const agent = new http.Agent({ keepAlive: true, maxSockets: load.connections })
const latencies: number[] = []
const lateness: number[] = []
const failures: Record<string, number> = {}

function send(number: number, dueAt: number): Promise<void> {
  const { method, path, body } = load.requests[number % load.requests.length]!
  const headers = {
    ...load.headers,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  }
  lateness.push(performance.now() - dueAt)
  return new Promise((resolve) => {
    function end(outcome: string | undefined): void {
      latencies.push(performance.now() - dueAt)
      if (outcome !== undefined) failures[outcome] = (failures[outcome] ?? 0) + 1
      resolve()
    }
    const request = http.request(`${load.url}${path}`, { agent, method, headers }, (response) => {
      const { statusCode = 0 } = response
      response.resume().on('end', () => end(statusCode < 300 ? undefined : String(statusCode)))
    })
    request.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
    request.end(body)
  })
}

async function sendWhenDue(perSecond: number, startedAt: number): Promise<void> {
  const answers: Promise<void>[] = []
  while (answers.length < load.total) {
    const due = Math.floor(((performance.now() - startedAt) / 1000) * perSecond)
    while (answers.length < Math.min(due, load.total)) {
      const number = answers.length
      answers.push(send(number, startedAt + (number / perSecond) * 1000))
    }
    await sleep(1)
  }
  await Promise.all(answers)
}

async function sendAtOnce(): Promise<void> {
  let next = 0
  const one = async () => {
    while (next < load.total) await send(next++, performance.now())
  }
  await Promise.all(Array.from({ length: load.connections }, one))
}

const percentile = (values: readonly number[], share: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? NaN

const startedAt = performance.now()
await (load.perSecond === undefined ? sendAtOnce() : sendWhenDue(load.perSecond, startedAt))
agent.destroy()
const result: LoadResult = {
  seconds: (performance.now() - startedAt) / 1000,
  p50: percentile(latencies, 0.5),
  p99: percentile(latencies, 0.99),
  longest: percentile(latencies, 1),
  sentLateP99: percentile(lateness, 0.99),
  failures,
}
process.stdout.write(JSON.stringify(result))
