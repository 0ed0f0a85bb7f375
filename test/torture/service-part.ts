import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { WriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Resources } from '../../src/runtime/resources.ts'
import type { Findings } from './findings.ts'
import { guard } from './guard.ts'
import { longhaul } from './longhaul.ts'
import { createProcessLog } from './process-log.ts'

/** How long a process may take to stop when it is asked to, ms; its grace is part of it. */
const stopLimitMs = 30_000

/** PostgreSQL, store, queue: without them a process does not start, and says so by its exit code. */
const cannotStart = [20, 22, 23]

/** How a process ends that could not stop within its time: as a kill would leave it. */
const stoppedLate = 130

/** `longhaul serve` or `longhaul worker`, started again whenever it has ended. */
export interface ServicePart {
  readonly name: string
  /** Ready, and neither frozen nor about to end. */
  isUp(): boolean
  /** Ids of the exports that it works on, by its log. */
  busyWith(): readonly string[]
  /** SIGKILL. */
  kill(): void
  /** SIGTERM; resolves when it has ended. */
  terminate(): Promise<void>
  /** SIGSTOP, and SIGCONT so much later. */
  freeze(ms: number): Promise<void>
  /** How often it could not start, because something that it needs was away. */
  failedStarts(): number
  /** How often it gave up stopping in order, because a server that had gone silent did not answer. */
  lateStops(): number
  /** SIGTERM, for the last time. */
  finish(): Promise<void>
}

export interface ServicePartOptions {
  readonly name: string
  readonly command: 'serve' | 'worker'
  readonly environment: Readonly<Record<string, string>>
  readonly log: WriteStream
  readonly secrets: readonly string[]
  readonly findings: Findings
  /** Before it is started again, ms. */
  readonly pauseMs: () => number
}

export function createServicePart(
  resources: Resources,
  { name, command, environment, log, secrets, findings, pauseMs }: ServicePartOptions,
): ServicePart {
  const finishing = new AbortController()
  let failedStarts = 0
  let lateStops = 0
  let current = startProcess()

  function startProcess() {
    const child = spawn(process.execPath, [longhaul, command], {
      // a warning of Node, which is a finding, then says where it came from
      env: { PATH: process.env['PATH'], NODE_OPTIONS: '--trace-deprecation', ...environment },
      cwd: '/',
      // Ctrl-C at the terminal is for us
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    guard(child)
    const problem = (kind: string, text: string) => findings.add(kind, `${name}: ${text}`)
    const reader = createProcessLog({ file: log, secrets, onProblem: problem })
    createInterface({ input: child.stderr }).on('line', (line) => reader.line(line))
    const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
    return { child, reader, ended, asked: undefined as NodeJS.Signals | undefined, frozen: false }
  }

  /** Whether it had a reason to end as it did. */
  function judge({ asked, reader }: typeof current, code: number | null, signal: string | null) {
    if (asked === 'SIGKILL' || (asked === 'SIGTERM' && code === 0)) return
    // in the end, when all is calm, nothing is in its way
    if (asked === 'SIGTERM' && code === stoppedLate && !finishing.signal.aborted) {
      lateStops += 1
      return
    }
    const started = reader.isReady()
    if (asked === undefined && !started && cannotStart.includes(code ?? 0)) failedStarts += 1
    else {
      const how = `ended with ${code ?? signal ?? 'nothing'}`
      findings.add('process-death', `${name} ${how}, asked by ${asked ?? 'nobody'}`)
    }
  }

  async function supervise(): Promise<void> {
    for (;;) {
      const [code, signal] = await current.ended
      judge(current, code, signal)
      await sleep(pauseMs(), undefined, { signal: finishing.signal }).catch(() => undefined)
      if (finishing.signal.aborted) return
      current = startProcess()
    }
  }

  async function terminate(): Promise<void> {
    const ending = current
    ending.asked ??= 'SIGTERM'
    ending.child.kill('SIGTERM')
    const timer = setTimeout(() => {
      findings.add('stop-limit', `${name} did not stop within ${stopLimitMs / 1000} s`)
      ending.asked = 'SIGKILL'
      ending.child.kill('SIGKILL')
    }, stopLimitMs)
    await ending.ended
    clearTimeout(timer)
  }

  function kill(): void {
    current.asked = 'SIGKILL'
    current.child.kill('SIGKILL')
  }

  const supervised = supervise()
  resources.add(undefined, async () => {
    finishing.abort()
    kill()
    await supervised
  })
  return {
    name,
    isUp: () => current.reader.isReady() && current.asked === undefined && !current.frozen,
    busyWith: () => current.reader.busyWith(),
    kill,
    terminate,
    async freeze(ms) {
      const frozen = current
      frozen.frozen = true
      frozen.child.kill('SIGSTOP')
      await sleep(ms)
      frozen.child.kill('SIGCONT')
      frozen.frozen = false
    },
    failedStarts: () => failedStarts,
    lateStops: () => lateStops,
    async finish() {
      finishing.abort()
      await terminate()
      await supervised
    },
  }
}
