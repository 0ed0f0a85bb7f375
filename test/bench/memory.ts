/**
 * Whether what an export costs depends on its size: seconds for a GB, and peak resident memory of the worker, for a
 * tenth, a quarter and all of the seeded services, and for all their ids.
 * `npm run bench:memory [-- SERVICES ROUNDS]`, by default 930,000 services (2 GB) and 3. Rounds alternate; each export
 * has a worker process of its own, which has made a small one before. Prints medians, and ends with exit code 1
 * when a promise of the README is broken. Linux only.
 */
import { createClient, type ExportRequestBody } from '../../src/client/client.ts'
import { connect } from '../../src/postgres/pool.ts'
import { MiB } from '../../src/runtime/units.ts'
import { everything, judge, print, seedTo, withBenchStack } from './bench-stack.ts'
import { median } from './median.ts'
import { startProcess } from './processes.ts'

const limitBytes = 256 * MiB
/** How much more the largest may take, memory beside a quarter of it, seconds for a GB beside a tenth. */
const growthLimit = 1.15

interface Size {
  readonly name: string
  readonly content: boolean
  /** Of the services. */
  readonly share: number
}

const tenth: Size = { name: 'content, a tenth', content: true, share: 0.1 }
const quarter: Size = { name: 'content, a quarter', content: true, share: 0.25 }
const whole: Size = { name: 'content, all', content: true, share: 1 }
const ids: Size = { name: 'ids, all', content: false, share: 1 }
const sizes: readonly Size[] = [tenth, quarter, whole, ids]

interface Measured {
  readonly rows: number
  readonly bytes: number
  readonly seconds: number
  readonly peakBytes: number
}

/** The time before which about that share of all services began. */
async function timeAt(databaseUrl: string, share: number): Promise<string> {
  if (share === 1) return everything.time_to
  const client = await connect(databaseUrl, 'source database')
  const text = `select percentile_disc($1::float) within group (order by started_at) as at from context_services.services`
  const { rows } = await client.query<{ at: Date }>(text, [share])
  await client.end()
  return rows[0]?.at.toISOString() ?? everything.time_to
}

async function measure(
  environment: Readonly<Record<string, string>>,
  url: string,
  request: ExportRequestBody,
  warmUp: ExportRequestBody,
): Promise<Measured> {
  const worker = await startProcess('worker', environment)
  const client = createClient({ url })
  async function run(body: ExportRequestBody) {
    const startedAt = performance.now()
    const { id } = await client.request(body)
    const { artifact, error } = await client.wait(id)
    const seconds = (performance.now() - startedAt) / 1000
    if (artifact === undefined) throw new Error(`The export failed: ${error?.message ?? 'unknown'}`)
    // what was written would fill the disk
    await fetch(`${url}/exports/${id}`, { method: 'DELETE' })
    return { rows: artifact.rows, bytes: artifact.bytes, seconds }
  }
  try {
    await run(warmUp)
    return { ...(await run(request)), peakBytes: await worker.peakBytes() }
  } finally {
    await worker.stop()
  }
}

const perGigabyte = ({ seconds, bytes }: Measured) => seconds / (bytes / 1e9)

interface Summary extends Measured {
  readonly perGigabyte: number
}

const summarise = (runs: readonly Measured[]): Summary => ({
  rows: runs[0]?.rows ?? 0,
  bytes: runs[0]?.bytes ?? 0,
  seconds: median(runs.map(({ seconds }) => seconds)),
  perGigabyte: median(runs.map(perGigabyte)),
  peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
})

const line = (name: string, { rows, bytes, seconds, perGigabyte, peakBytes }: Summary) =>
  [
    name.padEnd(20),
    rows.toLocaleString('en-US').padStart(10),
    `${(bytes / 1e6).toFixed(0)} MB`.padStart(9),
    `${seconds.toFixed(1)} s`.padStart(8),
    `${perGigabyte.toFixed(1)} s/GB`.padStart(10),
    `${(peakBytes / MiB).toFixed(0)} MiB peak`.padStart(13),
  ].join(' ')

/** What the README promises, as sentences that are false. */
function brokenPromises(of: (size: Size) => Summary): readonly string[] {
  const memory = of(whole).peakBytes / of(quarter).peakBytes
  const cost = of(whole).perGigabyte / of(tenth).perGigabyte
  print(`all beside a quarter: ${memory.toFixed(2)} x the memory`)
  print(`all beside a tenth: ${cost.toFixed(2)} x the seconds for a GB`)
  const broken = sizes
    .filter((size) => of(size).peakBytes > limitBytes)
    .map(({ name }) => `${name}: more than ${limitBytes / MiB} MiB`)
  if (memory > growthLimit) broken.push(`memory grows ${memory.toFixed(2)} x with the export`)
  if (cost > growthLimit) broken.push(`a GB costs ${cost.toFixed(2)} x as much in a large export`)
  return broken
}

const [services = 930_000, rounds = 3] = process.argv.slice(2).map(Number)
await withBenchStack(async ({ databaseUrl, environment, url }) => {
  await seedTo(databaseUrl, services)
  const warmUp = { ...everything, export_content: true, time_to: await timeAt(databaseUrl, 0.01) }
  const runs = new Map<Size, Measured[]>(sizes.map((size) => [size, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [{ content, share }, measured] of runs) {
      const time_to = await timeAt(databaseUrl, share)
      const request = { ...everything, export_content: content, time_to }
      measured.push(await measure(environment, url, request, warmUp))
    }
  }
  const of = (size: Size) => summarise(runs.get(size) ?? [])
  for (const size of sizes) print(line(size.name, of(size)))
  judge(brokenPromises(of))
})
