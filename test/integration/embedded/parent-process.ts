import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { Stack } from '../../../src/embedded/stack.ts'

/** What a parent tells once its stack runs; or the error of a start that failed. */
export type Report = Pick<Stack, 'values' | 'postgresPid' | 's3Pid'>
export interface Failure {
  readonly name: string
  readonly message: string
  readonly hint: string
}

export interface ParentOptions {
  /** Folder with the compiled `src`. */
  readonly dist?: string
  readonly uid?: number
  readonly gid?: number
  /** A statement that it runs once its stack does. */
  readonly then?: string
}

export interface ParentProcess {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves with the first line of the parent: that its stack runs, or why not. */
  readonly report: Promise<Report & Failure>
  kill(signal: NodeJS.Signals): Promise<void>
}

const DIST = fileURLToPath(new URL('../../../dist', import.meta.url))

const script = (dist: string, then: string) => `
  const { startStack } = await import(${JSON.stringify(`file://${dist}/src/embedded/stack.js`)})
  const tell = (value) => process.stdout.write(JSON.stringify(value) + '\\n')
  try {
    const { values, postgresPid, s3Pid } = await startStack({ dataDir: process.argv[1] })
    tell({ values, postgresPid, s3Pid })
    setImmediate(() => { ${then} })
  } catch ({ name, message, hint }) {
    tell({ name, message, hint })
  }`

/**
 * A process of its own that starts a stack and then knows nothing of signals: what `longhaul dev` is to
 * whoever kills it. Its environment is empty, without HOME too.
 */
export function startParent(dataDir: string, options: ParentOptions = {}): ParentProcess {
  const { dist = DIST, then = '', ...user } = options
  const args = ['--input-type=module', '-e', script(dist, then), dataDir]
  const child = spawn(process.execPath, args, {
    ...user,
    cwd: '/',
    env: {},
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await exited
  }
  onTestFinished(() => kill('SIGKILL'))
  const report = once(child.stdout, 'data').then(
    ([text]: unknown[]) => JSON.parse(String(text)) as Report & Failure,
  )
  return { child, pid: child.pid!, report, kill }
}
