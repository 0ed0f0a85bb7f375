import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createClient } from '../../../src/client/client.ts'
import { everything } from '../bench-stack.ts'
import { findProgram } from '../../support/find-program.ts'
import type { LonghaulProcess } from '../processes.ts'
import { fastestCopies } from './queries.ts'
import type { Workload } from './workloads.ts'

/** What one run took. */
export interface Run {
  readonly seconds: number
  /** Of the artifact, where it makes one as the product does. */
  readonly rows?: number
  readonly rawBytes?: number
  /** Of the object, where that is packed. */
  readonly bytes?: number
  /** Peak resident memory of the worker, bytes. */
  readonly peakBytes?: number
  /** Delay of the worker's event loop meanwhile, ms. */
  readonly loop?: LoopDelay
}

export interface LoopDelay {
  readonly p99: number
  readonly longest: number
}

export interface Bench {
  /** Variables that make a program read the workload's database and write to the bucket. */
  readonly environment: Readonly<Record<string, string>>
  /** A worker that reads the workload's database. */
  readonly worker: LonghaulProcess
  /** Of the HTTP server. */
  readonly url: string
}

export interface Contender {
  readonly name: string
  /** Programs that it uses: without one of them it is left out. */
  readonly needs: readonly string[]
  readonly runs: (workload: Workload) => boolean
  readonly run: (bench: Bench, workload: Workload) => Promise<Run>
}

const always = () => true

/** Says nothing of the end of its support for Node 20, which the README gives. */
const quiet = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' }

/** Runs a program to its end. @returns what it printed, and how long it took, in seconds */
async function runProgram(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ output: string; seconds: number }> {
  const startedAt = performance.now()
  const child = spawn(command, [...args], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...quiet, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit') as Promise<[number | null]>
  const [output, [code]] = await Promise.all([text(child.stdout), ended])
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}`)
  return { output, seconds: (performance.now() - startedAt) / 1000 }
}

/** One of the programs beside this file, which tells how long its work took. */
async function runOwn(file: string, env: Readonly<Record<string, string>>): Promise<Run> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const { output } = await runProgram(process.execPath, [path], env)
  return JSON.parse(output) as Run
}

const psql = '"$PSQL" -X -q -d "$SOURCE_DATABASE_URL" -c "$COPIES"'

const aws = '"$AWS" --endpoint-url "$S3_ENDPOINT"'

const runShell = (script: string, { environment }: Bench, workload: Workload) => {
  const env = {
    ...environment,
    PSQL: findProgram('psql') ?? '',
    AWS: findProgram('aws') ?? '',
    COPIES: fastestCopies(workload),
  }
  return runProgram('/bin/bash', ['-euo', 'pipefail', '-c', script], env)
}

async function shellRun(script: string, bench: Bench, workload: Workload): Promise<Run> {
  const { seconds } = await runShell(script, bench, workload)
  return { seconds }
}

/** Of the time since it was last asked. */
async function askLoopDelay({ ready }: LonghaulProcess): Promise<LoopDelay> {
  const response = await fetch(`${String(ready['url'])}/metrics`)
  const metrics = await response.text()
  const ms = (what: string) => {
    const found = new RegExp(`^nodejs_eventloop_lag_${what}_seconds ([\\d.e-]+)$`, 'm').exec(
      metrics,
    )
    return Number(found?.[1]) * 1000
  }
  return { p99: ms('p99'), longest: ms('max') }
}

const longhaul =
  (compression: 'none' | 'gzip'): Contender['run'] =>
  async ({ url, worker }, { content }) => {
    const client = createClient({ url })
    await worker.forgetPeak()
    await askLoopDelay(worker)
    const startedAt = performance.now()
    const request = { ...everything, export_content: content, compression }
    const { id } = await client.request(request)
    const { artifact, error } = await client.wait(id)
    const seconds = (performance.now() - startedAt) / 1000
    if (artifact === undefined) throw new Error(`The export failed: ${error?.message ?? ''}`)
    // what was written would fill the disk
    await fetch(`${url}/exports/${id}`, { method: 'DELETE' })
    const { rows, bytes, raw_bytes: rawBytes } = artifact
    const loop = await askLoopDelay(worker)
    return { seconds, rows, bytes, rawBytes, loop, peakBytes: await worker.peakBytes() }
  }

const all: readonly Contender[] = [
  { name: 'longhaul', needs: [], runs: always, run: longhaul('none') },
  {
    name: 'limit',
    needs: ['psql'],
    runs: always,
    run: (bench, workload) => shellRun(`${psql} >/dev/null`, bench, workload),
  },
  {
    name: 'shell',
    needs: ['psql', 'aws'],
    runs: always,
    run: (bench, workload) =>
      shellRun(`${psql} | ${aws} s3 cp - "s3://$S3_BUCKET/bench/shell.json" >&2`, bench, workload),
  },
  { name: 'longhaul gzip', needs: [], runs: always, run: longhaul('gzip') },
  {
    name: 'shell gzip',
    needs: ['psql', 'aws', 'gzip'],
    runs: always,
    async run(bench, workload) {
      const copy = 's3 cp - "s3://$S3_BUCKET/bench/shell.json.gz" >&2'
      const run = await shellRun(`${psql} | gzip -6 | ${aws} ${copy}`, bench, workload)
      const look = 's3api head-object --bucket "$S3_BUCKET" --key bench/shell.json.gz'
      const size = await runShell(`${aws} ${look} --query ContentLength`, bench, workload)
      return { ...run, bytes: Number(size.output) }
    },
  },
  {
    name: 'naive',
    needs: [],
    runs: always,
    run: ({ environment }, { content }) =>
      runOwn('naive.js', { ...environment, CONTENT: String(content) }),
  },
  {
    name: 'n+1',
    needs: [],
    runs: ({ content }) => content,
    run: ({ environment }) => runOwn('n-plus-one.js', environment),
  },
]

/** Those whose programs are installed, and what the others want. */
export function findContenders(): { found: readonly Contender[]; missing: readonly string[] } {
  const lacks = ({ needs }: Contender) => needs.filter((name) => findProgram(name) === undefined)
  return {
    found: all.filter((contender) => lacks(contender).length === 0),
    missing: [...new Set(all.flatMap(lacks))],
  }
}
