import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, inject } from 'vitest'
import type { Release } from './release.ts'
import type { TestSystem } from './system.ts'
import { testQueue } from './test-queue.ts'

const main = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

export interface CliOptions {
  /** All that the process gets, besides PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>
  /** Default: the folder of temporary files. */
  readonly cwd?: string
}

export interface CliResult {
  /** As a shell has it: 128 and the signal's number when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface RunningCli {
  readonly pid: number
  /** What it has written so far. */
  output(): { readonly stdout: string; readonly stderr: string }
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): void
  /** Ends it at once, as lack of memory does. */
  kill(): void
  readonly ended: Promise<CliResult>
}

const signalNumbers: Readonly<Record<string, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

/** Starts the compiled command line as a process of its own; whatever still runs goes with the test. */
export function startCli(
  release: Release,
  args: readonly string[],
  { env = {}, cwd = tmpdir() }: CliOptions = {},
): RunningCli {
  if (!existsSync(main)) throw new Error(`${main} is missing: run \`npm run build\` first.`)
  const child = spawn(process.execPath, [main, ...args], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const killed = 128 + (signalNumbers[signal ?? ''] ?? 0)
      resolve({ code: code ?? killed, stdout, stderr })
    })
  })
  release(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    pid: child.pid ?? 0,
    output: () => ({ stdout, stderr }),
    signal: (name) => void child.kill(name),
    kill: () => void child.kill('SIGKILL'),
    ended,
  }
}

/** Runs one command to its end. */
export async function runCli(
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  const releases: (() => Promise<void>)[] = []
  const result = await startCli((each) => void releases.push(each), args, options).ended
  // a path of the source or a stack trace tells a user nothing
  expect(result.stderr).not.toMatch(/node_modules|^\s+at .*:\d+:\d+/m)
  return result
}

/** What `--json` promises: exactly one JSON document on stdout. */
export function jsonOf({ stdout, stderr }: CliResult): unknown {
  expect(stdout, stderr).not.toBe('')
  expect(stdout.endsWith('\n')).toBe(true)
  return JSON.parse(stdout)
}

/** The error of a command that was given `--json`. */
export function errorOf(result: CliResult): {
  readonly code: string
  readonly message: string
  readonly hint?: string
} {
  expect(result.code).not.toBe(0)
  expect(result.stderr).not.toBe('')
  const document = jsonOf(result) as { error: { code: string; message: string; hint?: string } }
  expect(Object.keys(document)).toEqual(['error'])
  expect(document.error.code).toMatch(/^[A-Z_]+$/)
  return document.error
}

/** An empty folder to work in. */
export async function createFolder(release: Release): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-cli-'))
  release(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** The events that a service has logged so far. */
export const eventsOf = (service: RunningCli): Readonly<Record<string, unknown>>[] =>
  service
    .output()
    .stderr.split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)

/** The variables that make `serve`, `worker` and `migrate` work on the database and bucket of a system. */
export function serviceEnvironment({
  database,
  bucket,
}: Pick<TestSystem, 'database' | 'bucket'>): Readonly<Record<string, string>> {
  return {
    ...inject('stack'),
    DATABASE_URL: database.url,
    ...testQueue(database).variables,
    S3_BUCKET: bucket.settings.bucket,
    PORT: '0',
  }
}
