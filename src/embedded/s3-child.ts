import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { StackError } from '../errors.ts'
import type { LogFile } from './log-file.ts'
import type { StartedMessage, StartMessage } from './s3/main.ts'

const READY_TIMEOUT_MS = 30_000
const STOP_TIMEOUT_MS = 5_000

/** A child process that was started and may not listen yet. */
export interface S3Child {
  readonly pid: number
  /** The port it listens on; or, in words, why it does not. */
  start(options: StartMessage['options']): Promise<number | string>
  /** How it ended, in words; resolves once it has, for whatever reason. */
  readonly ended: Promise<string>
  /** Idempotent; resolves when the process is gone. */
  stop(): Promise<void>
}

/**
 * Forks the S3 server in a process group of its own: Ctrl-C at the terminal must not take the store away
 * before the worker has drained. It ends by itself when this process does, because its channel closes.
 * Throws StackError when it has not been compiled.
 */
export function forkS3(log: LogFile): S3Child {
  const child = fork(entryPoint(), [], {
    cwd: '/',
    env: {},
    execArgv: [],
    detached: true,
    stdio: ['ignore', log.fd, log.fd, 'ipc'],
  })
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `ended with code ${code ?? '?'}` : `was ended by ${signal}`)
    })
    child.once('error', (error) => {
      resolve(`could not be started: ${error.message}`)
    })
  })
  let stopping: Promise<void> | undefined
  return {
    pid: child.pid ?? 0,
    ended,
    start(options) {
      child.send({ type: 'start', options } satisfies StartMessage, () => undefined)
      return firstAnswer(child, ended)
    },
    stop: () => (stopping ??= stopChild(child, ended)),
  }
}

async function firstAnswer(child: ChildProcess, ended: Promise<string>): Promise<number | string> {
  const done = new AbortController()
  const { signal } = done
  const answer = once(child, 'message', { signal }).then(([value]: unknown[]) => {
    const message = value as StartedMessage
    return message.type === 'ready' ? message.port : `failed: ${message.message}`
  })
  const late = sleep(READY_TIMEOUT_MS, 'did not get ready in time', { signal })
  try {
    return await Promise.race([answer, late, ended])
  } finally {
    answer.catch(() => undefined)
    late.catch(() => undefined)
    done.abort()
  }
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/** Node 20 runs no TypeScript: from source, as in tests, the compiled child is used. */
function entryPoint(): string {
  const fromSource = import.meta.url.endsWith('.ts')
  const relative = fromSource ? '../../dist/src/embedded/s3/main.js' : './s3/main.js'
  const path = fileURLToPath(new URL(relative, import.meta.url))
  if (existsSync(path)) return path
  throw new StackError(`The S3 server has not been compiled: there is no ${path}.`, {
    hint: 'Run `npm run build` first.',
  })
}
