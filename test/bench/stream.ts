/**
 * The synchronous stream, as its neighbours feel it: `npm run bench:stream [-- SERVICES SECONDS]`, by
 * default 500,000 services (1.1 GB) and 60 s. A client reads at 100 KB/s, then leaves; another reads as
 * fast as it can. Meanwhile others ask for health and status. Prints memory of the server above
 * idle, the latency of those answers, and how long the query outlives its client; exit code 1 when a
 * promise of the README is broken. It makes none of the latency beside a client that takes all it gets.
 */
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { connect } from '../../src/postgres/pool.ts'
import { MiB } from '../../src/runtime/units.ts'
import { everything, judge, print, seedTo, withBenchStack, type BenchStack } from './bench-stack.ts'

const limits = { memoryBytes: 64 * MiB, p99Ms: 50, queryMs: 2000 }
const readBytesPerSecond = 100_000
/** Between two questions of the others, ms. */
const askEveryMs = 20

const openStream = (url: string): Promise<http.IncomingMessage> => {
  const query = new URLSearchParams({ ...everything, export_content: 'true' }).toString()
  const path = `/genesys/1/cs/maintenance/services/stream?${query}`
  return new Promise((resolve, reject) => {
    http.get(`${url}${path}`, { agent: false }, resolve).on('error', reject)
  })
}

/** Reads so many bytes a second, for so long. */
async function readSlowly(response: http.IncomingMessage, seconds: number): Promise<number> {
  const startedAt = performance.now()
  let bytes = 0
  response.pause()
  for (let elapsed = 0; elapsed < seconds; elapsed = (performance.now() - startedAt) / 1000) {
    while (bytes < elapsed * readBytesPerSecond) {
      const chunk = response.read() as Buffer | null
      if (chunk === null) break
      bytes += chunk.length
    }
    await sleep(20)
  }
  return bytes
}

async function readAll(response: http.IncomingMessage): Promise<number> {
  let bytes = 0
  for await (const chunk of response) bytes += (chunk as Buffer).length
  return bytes
}

/** Asks for health and for one export in turn, until told to stop. @returns latencies, ms, sorted */
async function askMeanwhile(url: string, id: string, stop: AbortSignal): Promise<number[]> {
  const latencies: number[] = []
  for (let n = 0; !stop.aborted; n++) {
    const startedAt = performance.now()
    await (await fetch(`${url}${n % 2 === 0 ? '/healthz' : `/exports/${id}`}`)).text()
    latencies.push(performance.now() - startedAt)
    await sleep(askEveryMs)
  }
  return latencies.sort((a, b) => a - b)
}

const quantile = (sorted: readonly number[], q: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0

/** Reads a stream while others ask. @returns the promises of the README that were broken */
async function measure(
  { server, url }: BenchStack,
  id: string,
  { title, p99Ms }: { readonly title: string; readonly p99Ms: number },
  read: (response: http.IncomingMessage) => Promise<number>,
): Promise<readonly string[]> {
  const idle = await server.forgetPeak()
  const startedAt = performance.now()
  const stop = new AbortController()
  const asking = askMeanwhile(url, id, stop.signal)
  const bytes = await read(await openStream(url))
  const seconds = (performance.now() - startedAt) / 1000
  const above = (await server.peakBytes()) - idle
  stop.abort()
  const latencies = await asking
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
  print(
    `${title}: ${(bytes / 1e6).toFixed(1)} MB in ${seconds.toFixed(1)} s, ` +
      `memory ${(idle / MiB).toFixed(0)} MiB idle and ${(above / MiB).toFixed(0)} MiB above it at its peak, ` +
      `${latencies.length} other answers, median ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`,
  )
  return [
    ...(above > limits.memoryBytes ? [`${title}: ${(above / MiB).toFixed(0)} MiB above idle`] : []),
    ...(p99 > p99Ms ? [`${title}: p99 of the others ${p99.toFixed(1)} ms`] : []),
  ]
}

/** How long PostgreSQL goes on after the client has left, ms. */
async function timeToEnd({ databaseUrl }: BenchStack, leave: () => void): Promise<number> {
  const client = await connect(databaseUrl, 'source database')
  try {
    const startedAt = performance.now()
    leave()
    for (;;) {
      const { rowCount } = await client.query(
        `select 1 from pg_stat_activity where application_name = 'longhaul' and state <> 'idle'
         and pid <> pg_backend_pid() and query not like '%longhaul.exports%'`,
      )
      if (rowCount === 0) return performance.now() - startedAt
      await sleep(5)
    }
  } finally {
    await client.end()
  }
}

const [services = 500_000, seconds = 60] = process.argv.slice(2).map(Number)
await withBenchStack(async (stack) => {
  await seedTo(stack.databaseUrl, services)
  const { id } = await createClient({ url: stack.url }).request({ ...everything })
  // what the first stream loads, it keeps: idle is a server that has worked
  ;(await openStream(stack.url)).destroy()
  const warm = new AbortController()
  setTimeout(() => warm.abort(), 2000)
  await askMeanwhile(stack.url, id, warm.signal)

  let slow: http.IncomingMessage | undefined
  const broken = [
    ...(await measure(stack, id, { title: 'read at 100 KB/s', p99Ms: limits.p99Ms }, (response) => {
      slow = response.on('error', () => undefined)
      return readSlowly(response, seconds)
    })),
  ]
  const outlived = await timeToEnd(stack, () => slow?.destroy())
  print(`the client leaves: no query left after ${outlived.toFixed(0)} ms`)
  if (outlived > limits.queryMs) broken.push(`a query outlived its client by ${outlived} ms`)
  broken.push(
    ...(await measure(stack, id, { title: 'read as fast as it comes', p99Ms: Infinity }, readAll)),
  )
  judge(broken)
})
