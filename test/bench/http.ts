/**
 * The HTTP interface beside 100,000 records: 1,000 status reads a second, idle and while two exports run, lists, and
 * 10,000 requests for exports. `npm run bench:http [-- SECONDS ROUNDS]`, by default 10 and 3. Rounds
 * alternate; prints medians, and ends with exit code 1 when a promise of the README is broken. With REDIS_URL the queue
 * is there.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { testKeys } from '../support/api-keys.ts'
import { everything, judge, print, seedTo, withBenchStack } from './bench-stack.ts'
import { insertRecords } from './http/insert-records.ts'
import type { Load, LoadResult } from './http/load.ts'
import { runLoad } from './http/run-load.ts'
import { median } from './median.ts'
import { startProcess } from './processes.ts'

const limits = { idleMs: 20, busyMs: 100, listMs: 100, enqueueSeconds: 60 }
const records = 100_000
const services = 200_000
const enqueued = 10_000
/** Of the worker beside a server, as docs/operations.md has it. */
const niceness = 10

const { REDIS_URL } = process.env
const queue = REDIS_URL === undefined ? {} : { REDIS_URL }
const keys = testKeys({ bench: 'admin' })
const apiKey = keys.keyOf('bench')
const headers = { authorization: `Bearer ${apiKey}` }

const [seconds = 10, rounds = 3] = process.argv.slice(2).map(Number)

/** Runs two exports, one after another, for as long as `work` does. */
async function whileTwoExportsRun<T>(url: string, work: () => Promise<T>): Promise<T> {
  const client = createClient({ url, apiKey })
  const over = new AbortController()
  const isOver = () => over.signal.aborted
  const request = { ...everything, export_content: true }
  async function exportOn(started: () => void): Promise<void> {
    while (!isOver()) {
      const { id } = await client.request(request)
      for (;;) {
        await sleep(200)
        const { state } = await client.status(id)
        if (state === 'running') started()
        if (state === 'failed') throw new Error('An export failed.')
        if (state === 'completed') break
      }
      // what was written would fill the disk
      await fetch(`${url}/exports/${id}`, { method: 'DELETE', headers })
    }
  }
  const exports: Promise<void>[] = []
  const started = [0, 1].map(
    () => new Promise<void>((resolve, reject) => exports.push(exportOn(resolve).catch(reject))),
  )
  try {
    await Promise.all(started)
    return await work()
  } finally {
    over.abort()
    await Promise.allSettled(exports)
  }
}

const readAt = (perSecond: number, url: string, paths: readonly string[]): Load => ({
  url,
  headers,
  requests: paths.map((path) => ({ method: 'GET', path })),
  total: perSecond * seconds,
  perSecond,
  connections: 64,
})

/** The second page, and one deep down, by the cursors that the server gives. */
async function listPaths(url: string): Promise<readonly string[]> {
  const filters = ['', 'limit=100', 'state=failed', 'state=completed&limit=100', 'state=running']
  const first = await fetch(`${url}/exports?limit=100`, { headers })
  const { next_cursor } = (await first.json()) as { next_cursor: string }
  return [...filters, `limit=100&cursor=${next_cursor}`].map((query) => `/exports?${query}`)
}

const line = (name: string, results: readonly LoadResult[]) =>
  [
    name.padEnd(42),
    ...(['p50', 'p99', 'longest', 'lateP99'] as const).map((field) => {
      const ms = median(results.map((result) => result[field]))
      // what is sent as fast as it is answered is never late
      return `${field} ${Number.isNaN(ms) ? '–' : `${ms.toFixed(1)} ms`}`.padEnd(18)
    }),
    `stolen ${(median(results.map(({ stolen }) => stolen)) * 100).toFixed(1)} %`,
  ].join(' ')

await withBenchStack(
  async (stack) => {
    const { databaseUrl, environment, url, resources } = stack
    await seedTo(databaseUrl, services)
    const ids = await insertRecords(databaseUrl, records)
    const status = readAt(
      1000,
      url,
      ids.map((id) => `/exports/${id}`),
    )
    const lists = readAt(50, url, await listPaths(url))
    const measured = {
      idle: [] as LoadResult[],
      busy: [] as LoadResult[],
      lists: [] as LoadResult[],
    }
    const worker = await startProcess('worker', environment, { niceness })
    resources.add(worker, (started) => started.stop())
    // what has just started is slow until V8 has compiled it
    await whileTwoExportsRun(url, () => runLoad({ ...status, total: 40_000 }))
    await runLoad({ ...status, total: 40_000 })
    for (let round = 0; round < rounds; round++) {
      // for two seconds or three behind two exports the processor is not idle yet: lists have that time
      measured.lists.push(await runLoad(lists))
      measured.idle.push(await runLoad(status))
      measured.busy.push(await whileTwoExportsRun(url, () => runLoad(status)))
    }
    // what is enqueued now is nothing to run
    await worker.stop()
    const body = JSON.stringify(everything)
    const enqueueing = await runLoad({
      url,
      headers,
      requests: [{ method: 'POST', path: '/exports', body }],
      total: enqueued,
      connections: 16,
    })
    print(line('1,000 status reads a second, idle', measured.idle))
    print(line('the same while two exports run', measured.busy))
    print(line(`50 lists a second, ${records.toLocaleString('en-US')} records`, measured.lists))
    print(line(`${enqueued.toLocaleString('en-US')} requests, 16 at once`, [enqueueing]))
    print(
      `${enqueued.toLocaleString('en-US')} exports enqueued in ${enqueueing.seconds.toFixed(1)} s`,
    )
    const p99 = (results: readonly LoadResult[]) => median(results.map((result) => result.p99))
    judge([
      ...(p99(measured.idle) >= limits.idleMs
        ? [`status, idle: p99 not below ${limits.idleMs} ms`]
        : []),
      ...(p99(measured.busy) >= limits.busyMs
        ? [`status, busy: p99 not below ${limits.busyMs} ms`]
        : []),
      ...(p99(measured.lists) >= limits.listMs ? [`lists: p99 not below ${limits.listMs} ms`] : []),
      ...(enqueueing.seconds >= limits.enqueueSeconds
        ? [`enqueueing: not below ${limits.enqueueSeconds} s`]
        : []),
    ])
  },
  { ...keys.variables, REQUESTS_PER_SECOND: '0', ...queue },
)
