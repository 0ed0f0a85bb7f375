/**
 * Peak resident memory of the worker process, for exports of two sizes, ids only and with content:
 * `npm run bench:memory [-- SMALL LARGE]`, by default 500,000 and 2,000,000 services. Each export has
 * a worker process of its own. Prints a table, and ends with exit code 1 when a promise of the README
 * is broken.
 */
import { createClient } from '../../src/client/client.ts'
import { MiB } from '../../src/runtime/units.ts'
import { everything, judge, print, seedTo, withBenchStack } from './bench-stack.ts'
import { startProcess } from './processes.ts'

const limitBytes = 256 * MiB
/** How much more the larger export may take. */
const growthLimit = 1.15

interface Measurement {
  readonly services: number
  readonly content: boolean
  readonly rows: number
  readonly bytes: number
  readonly seconds: number
  readonly peakBytes: number
}

async function measure(
  environment: Readonly<Record<string, string>>,
  url: string,
  services: number,
  content: boolean,
): Promise<Measurement> {
  const worker = await startProcess('worker', environment)
  try {
    const client = createClient({ url })
    const startedAt = performance.now()
    const { id } = await client.request({ ...everything, export_content: content })
    const { artifact, error } = await client.wait(id)
    if (artifact === undefined) throw new Error(`The export failed: ${error?.message ?? 'unknown'}`)
    const seconds = (performance.now() - startedAt) / 1000
    const { rows, bytes } = artifact
    return { services, content, rows, bytes, seconds, peakBytes: await worker.peakBytes() }
  } finally {
    await worker.stop()
  }
}

const row = ({ content, rows, bytes, seconds, peakBytes }: Measurement) =>
  [
    (content ? 'content' : 'ids').padEnd(8),
    rows.toLocaleString('en-US').padStart(10),
    `${(bytes / 1e6).toFixed(0)} MB`.padStart(9),
    `${seconds.toFixed(1)} s`.padStart(8),
    `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`.padStart(9),
    `${Math.round(rows / seconds).toLocaleString('en-US')} rows/s`.padStart(16),
    `${(peakBytes / MiB).toFixed(0)} MiB peak`.padStart(13),
  ].join(' ')

/** What the README promises about memory, as sentences that are false. */
function brokenPromises(measurements: readonly Measurement[]): readonly string[] {
  const tooLarge = measurements
    .filter(({ peakBytes }) => peakBytes > limitBytes)
    .map((m) => `${row(m)}: above ${limitBytes / MiB} MiB`)
  const growing = [false, true].flatMap((content) => {
    const [small, large] = measurements.filter((m) => m.content === content)
    if (small === undefined || large === undefined) return []
    const growth = large.peakBytes / small.peakBytes
    print(`growth, ${content ? 'content' : 'ids'}: ${growth.toFixed(2)} x`)
    return growth > growthLimit ? [`memory grows ${growth.toFixed(2)} x with the export`] : []
  })
  return [...tooLarge, ...growing]
}

const [small = 500_000, large = 2_000_000] = process.argv.slice(2).map(Number)
await withBenchStack(async ({ databaseUrl, environment, url }) => {
  const measurements: Measurement[] = []
  for (const services of [small, large]) {
    await seedTo(databaseUrl, services)
    for (const content of [false, true]) {
      const measured = await measure(environment, url, services, content)
      print(row(measured))
      measurements.push(measured)
    }
  }
  judge(brokenPromises(measurements))
})
