/**
 * How fast an export is, side by side with what else people do: `npm run bench [-- SCALE ROUNDS]`, by
 * default 1 (a million ids) and 3. Rounds alternate between the contenders; printed are medians, and how
 * many times as long each takes as Longhaul. The figures of all runs go to bench.json.
 */
import { writeFile } from 'node:fs/promises'
import pg from 'pg'
import { migrate } from '../../src/postgres/migrate.ts'
import { MiB } from '../../src/runtime/units.ts'
import { print, withBenchStack, type BenchStack } from './bench-stack.ts'
import { median } from './median.ts'
import { startProcess } from './processes.ts'
import { findContenders, type Bench, type Run } from './speed/contenders.ts'
import { cpuSeconds } from './speed/process-usage.ts'
import { createWorkloads, type Workload } from './speed/workloads.ts'

interface Measured extends Run {
  readonly workload: string
  readonly contender: string
  /** Processor time meanwhile, seconds. */
  readonly cpu: { readonly worker: number; readonly postgres: number; readonly store: number }
}

/** Makes the workload's database, unless another workload has. */
async function prepare(url: string, { database, fill }: Workload): Promise<string> {
  const target = new URL(url)
  target.pathname = `/${database}`
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [database])
  if (rowCount === 0) {
    await admin.query(`create database ${database}`)
    await migrate(target.href, { referenceSchema: true })
    const client = new pg.Client({ connectionString: target.href })
    await client.connect()
    await fill(client)
    await client.query('checkpoint')
    await client.end()
  }
  await admin.end()
  return target.href
}

async function measureWorkload(
  { environment, url, databaseUrl, postgresPid, s3Pid }: BenchStack,
  workload: Workload,
  rounds: number,
): Promise<Measured[]> {
  const source = await prepare(databaseUrl, workload)
  const variables = { ...environment, SOURCE_DATABASE_URL: source }
  const worker = await startProcess('worker', variables)
  const bench: Bench = { environment: variables, worker, url }
  const spentBy = async (pid: number | undefined) => (pid === undefined ? NaN : cpuSeconds(pid))
  const usage = () => Promise.all([worker.pid, postgresPid, s3Pid].map(spentBy))
  const measured: Measured[] = []
  try {
    // the first round warms up caches, and counts for nobody
    for (let round = 0; round <= rounds; round++) {
      for (const contender of contenders.filter(({ runs }) => runs(workload))) {
        const before = await usage()
        const run = await contender.run(bench, workload)
        const [spent = 0, postgres = 0, store = 0] = (await usage()).map(
          (now, n) => now - before[n]!,
        )
        const cpu = { worker: spent, postgres, store }
        const result = { ...run, workload: workload.name, contender: contender.name, cpu }
        if (round > 0) measured.push(result)
      }
    }
  } finally {
    await worker.stop()
  }
  return measured
}

function printWorkload(workload: Workload, measured: readonly Measured[]): void {
  const of = (name: string) => measured.filter(({ contender }) => contender === name)
  const seconds = (name: string) => median(of(name).map((run) => run.seconds))
  const { rows = 0, rawBytes: bytes = 0 } = of('longhaul')[0] ?? {}
  /** The product's own, of the same kind. */
  const own = (name: string) => seconds(name.endsWith('gzip') ? 'longhaul gzip' : 'longhaul')
  const most = (value: (run: Run) => number | undefined) =>
    Math.max(...of('longhaul').map((run) => value(run) ?? NaN)).toFixed(0)
  print('')
  print(
    `${workload.name}: ${rows.toLocaleString('en-US')} rows, ${(bytes / 1e6).toFixed(0)} MB; ` +
      `worker: peak ${most(({ peakBytes = NaN }) => peakBytes / MiB)} MiB, event loop late by ` +
      `${most(({ loop }) => loop?.p99)} ms (p99), ${most(({ loop }) => loop?.longest)} ms (longest)`,
  )
  print(
    '  contender       seconds      MB/s      rows/s  CPU worker  PostgreSQL  store  x longhaul',
  )
  const packed = (name: string) => ((of(name)[0]?.bytes ?? NaN) / 1e6).toFixed(2)
  print(`  packed: ${packed('longhaul gzip')} MB; by the shell ${packed('shell gzip')} MB`)
  for (const name of new Set(measured.map(({ contender }) => contender))) {
    const cpu = (part: keyof Measured['cpu']) => median(of(name).map((run) => run.cpu[part]))
    print(
      [
        `  ${name.padEnd(13)}`,
        seconds(name).toFixed(2).padStart(9),
        (bytes / 1e6 / seconds(name)).toFixed(1).padStart(9),
        Math.round(rows / seconds(name))
          .toLocaleString('en-US')
          .padStart(11),
        cpu('worker').toFixed(1).padStart(11),
        cpu('postgres').toFixed(1).padStart(11),
        cpu('store').toFixed(1).padStart(6),
        (seconds(name) / own(name)).toFixed(2).padStart(11),
      ].join(' '),
    )
  }
}

const { found: contenders, missing } = findContenders()
if (missing.length > 0) print(`left out, for want of ${missing.join(' and ')}: who needs them`)
const [scale = 1, rounds = 3] = process.argv.slice(2).map(Number)
await withBenchStack(async (stack) => {
  const all: Measured[] = []
  for (const workload of createWorkloads(scale)) {
    const measured = await measureWorkload(stack, workload, rounds)
    printWorkload(workload, measured)
    all.push(...measured)
  }
  await writeFile('bench.json', `${JSON.stringify({ scale, rounds, runs: all }, undefined, 2)}\n`)
})
