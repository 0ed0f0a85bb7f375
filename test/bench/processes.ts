import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface LonghaulProcess {
  readonly pid: number
  /** The log line that said it was ready. */
  readonly ready: Readonly<Record<string, unknown>>
  /** Peak resident memory so far, or since it was last forgotten, bytes. Linux only. */
  peakBytes(): Promise<number>
  /** Resident memory now, bytes; from here on the peak counts anew. */
  forgetPeak(): Promise<number>
  stop(): Promise<void>
}

export interface ProcessOptions {
  /** What it gets where others want the processor, too: 0, as they do; 10, a tenth of it; 19, next to nothing. */
  readonly niceness?: number
}

/** Starts `longhaul serve` or `longhaul worker` and waits until it says that it is ready. */
export async function startProcess(
  command: 'serve' | 'worker',
  environment: Readonly<Record<string, string>>,
  { niceness = 0 }: ProcessOptions = {},
): Promise<LonghaulProcess> {
  const child = spawn('nice', ['-n', String(niceness), process.execPath, main, command], {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'inherit', 'pipe'],
    // a session of its own, as a service has, and with it a share of the processor: sched(7), "The autogroup feature"
    detached: true,
  })
  const pid = child.pid ?? 0
  // among sessions, that of the session counts; some kernels have none
  await writeFile(`/proc/${pid}/autogroup`, String(niceness)).catch(() => undefined)
  // of a benchmark that is ended, too, nothing goes on
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => void process.off('exit', kill))
  return {
    pid,
    ready: await untilReady(child, command),
    peakBytes: () => memoryOf(pid, 'VmHWM'),
    async forgetPeak() {
      // "5" resets the peak to what is resident now: proc(5), clear_refs
      await writeFile(`/proc/${pid}/clear_refs`, '5')
      return memoryOf(pid, 'VmRSS')
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function memoryOf(pid: number, field: 'VmHWM' | 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024
}

async function untilReady(child: ChildProcess, command: string): Promise<Record<string, unknown>> {
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream })
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      // a look rather than a parse: there may be a thousand a second
      const isError = !line.startsWith('{') || line.startsWith('{"level":"error"')
      if (isError) process.stderr.write(`${command}: ${line}\n`)
      else if (line.endsWith(' ready"}')) resolve(JSON.parse(line) as Record<string, unknown>)
    })
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code ?? 'a signal'}.`)))
  })
}
