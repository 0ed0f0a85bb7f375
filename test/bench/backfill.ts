/**
 * What it costs to archive a year by the day, beside one export of the whole year: `npm run bench:backfill
 * [-- SERVICES ROUNDS]`, by default 1,000,000 and 3. Rounds alternate, one worker does both. Prints medians, and ends
 * with exit code 1 when a promise of the README is broken. Linux only.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createClient } from '../../src/client/client.ts'
import { MiB } from '../../src/runtime/units.ts'
import { judge, print, seedTo, withBenchStack, type BenchStack } from './bench-stack.ts'
import { median } from './median.ts'
import { startProcess } from './processes.ts'

const limitBytes = 256 * MiB
/** How much longer than one export a backfill of the same services may take. */
const slowdownLimit = 1 / 0.7

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))
const year = { from: '2025-01-01', to: '2025-12-31', days: 365 } as const
const request = {
  filter_events: 'completed',
  export_content: true,
  format: 'ndjson',
  compression: 'gzip',
} as const

async function exportYear({ url }: BenchStack): Promise<Measured> {
  const client = createClient({ url })
  const startedAt = performance.now()
  const { id } = await client.request({
    ...request,
    time_from: `${year.from}T00:00:00Z`,
    time_to: '2026-01-01T00:00:00Z',
  })
  const { artifact, error } = await client.wait(id)
  if (artifact === undefined) throw new Error(`The export failed: ${error?.message ?? 'unknown'}`)
  return { seconds: (performance.now() - startedAt) / 1000, rows: artifact.rows }
}

interface Measured {
  readonly seconds: number
  readonly rows: number
}

/** Each time as an archive of its own. */
async function backfillYear(
  { environment }: BenchStack,
  folder: string,
  name: string,
): Promise<Measured> {
  const file = join(folder, `${name}.json`)
  await writeFile(file, JSON.stringify([{ name }]))
  const env = { PATH: process.env['PATH'], ...environment, ARCHIVES_FILE: file }
  const { from, to } = year
  const startedAt = performance.now()
  const args = [main, 'archive', '--from', from, '--to', to]
  const { stderr } = await promisify(execFile)(process.execPath, args, { env })
  const seconds = (performance.now() - startedAt) / 1000
  const counts = [...stderr.matchAll(/archived {2}([\d,]+) rows/g)].map(([, count = '']) =>
    Number(count.replaceAll(',', '')),
  )
  if (counts.length !== year.days) throw new Error(`${counts.length} windows were archived.`)
  return { seconds, rows: counts.reduce((sum, count) => sum + count, 0) }
}

const line = (name: string, runs: readonly Measured[]) =>
  [
    name.padEnd(20),
    (runs[0]?.rows ?? 0).toLocaleString('en-US').padStart(10),
    `${median(runs.map(({ seconds }) => seconds)).toFixed(1)} s`.padStart(8),
    runs.map(({ seconds }) => seconds.toFixed(1)).join(' '),
  ].join(' ')

const [services = 1_000_000, rounds = 3] = process.argv.slice(2).map(Number)
await withBenchStack(async (stack) => {
  const span = { from: new Date(`${year.from}T00:00:00Z`), to: new Date('2026-01-01T00:00:00Z') }
  await seedTo(stack.databaseUrl, services, span)
  const worker = await startProcess('worker', stack.environment)
  stack.resources.add(worker, (running) => running.stop())
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-bench-'))
  stack.resources.add(folder, (made) => rm(made, { recursive: true }))
  const [whole, byDay]: [Measured[], Measured[]] = [[], []]
  let peak = 0
  // the first round warms up caches, and counts for nobody
  for (let round = 0; round <= rounds; round++) {
    const exported = await exportYear(stack)
    await worker.forgetPeak()
    const archived = await backfillYear(stack, folder, `round-${round}`)
    peak = Math.max(peak, await worker.peakBytes())
    print(
      `round ${round}: one export ${exported.seconds.toFixed(1)} s, by the day ${archived.seconds.toFixed(1)} s`,
    )
    if (round === 0) continue
    whole.push(exported)
    byDay.push(archived)
  }
  print(line('one export', whole))
  print(line(`${year.days} windows`, byDay))
  const slowdown = median(byDay.map((run, index) => run.seconds / (whole[index]?.seconds ?? NaN)))
  print(`by the day: ${slowdown.toFixed(2)} x as long; worker: peak ${(peak / MiB).toFixed(0)} MiB`)
  const broken: string[] = []
  if (slowdown > slowdownLimit) broken.push(`a backfill takes ${slowdown.toFixed(2)} x as long`)
  if (peak > limitBytes) broken.push(`the worker takes more than ${limitBytes / MiB} MiB`)
  judge(broken)
})
