import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { stat, statfs } from 'node:fs/promises'
import { connect } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogFile } from './log-file.ts'
import type { PostgresHome } from './postgres-home.ts'
import { readOptionalFile } from './private-file.ts'
import { TOOL_ENVIRONMENT, type RunAs } from './run-tool.ts'
import { MiB } from '../runtime/units.ts'

const POLL_MS = 15

export interface PostmasterOptions {
  readonly home: PostgresHome
  /** Path of the program. */
  readonly postgres: string
  /** On loopback. */
  readonly port: number
  /** False: a crash of the machine may lose the database. For tests. */
  readonly durable: boolean
  /** Settings besides ours, or in their place. */
  readonly settings?: Readonly<Record<string, string | number>>
  readonly log: LogFile
}

/** A PostgreSQL server that was started and may still be on its way up. */
export interface Postmaster {
  readonly pid: number
  /** How it ended, in words; resolves once it has, for whatever reason. */
  readonly ended: Promise<string>
  /** Fast shutdown, then harder ones. Idempotent; resolves when the process is gone. */
  stop(): Promise<void>
}

/**
 * Starts the server in a process group of its own: Ctrl-C at the terminal must not take the database
 * away before the worker has drained. It stops when this process ends in any way.
 * Rejects with the operating system's error when it cannot be started at all.
 */
export async function launchPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  const { home, log } = options
  const child = spawn(options.postgres, ['-D', home.data, ...(await settings(options))], {
    ...home.runAs,
    cwd: home.path,
    env: TOOL_ENVIRONMENT,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  await once(child, 'spawn')
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve(signal === null ? `ended with code ${code ?? '?'}` : `was ended by ${signal}`)
    })
  })
  const pid = Number(child.pid)
  const onExit = () => child.kill('SIGINT')
  process.once('exit', onExit)
  const watch = startWatch(pid, home.runAs)
  void ended.then(() => {
    process.off('exit', onExit)
    watch.stdin?.end('ended\n')
  })
  let stopping: Promise<void> | undefined
  return { pid, ended, stop: () => (stopping ??= stopChild(child, ended)) }
}

/** Resolves once the server accepts connections; or with why it does not: it ended, or time ran out. */
export async function waitUntilReady(
  { pid, ended }: Postmaster,
  { home, port }: PostmasterOptions,
  timeoutMs: number,
): Promise<string | undefined> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    const status = await readOptionalFile(join(home.data, 'postmaster.pid'))
    const lines = status?.split('\n') ?? []
    // 1: process id, 4: port, 8: status
    const ours = Number(lines[0]) === pid && Number(lines[3]) === port
    if (ours && lines[7]?.trim() === 'ready' && (await accepts(port))) return undefined
    const how = await Promise.race([ended, sleep(POLL_MS)])
    if (how !== undefined) return how
  }
  return `was not ready after ${timeoutMs / 1000} seconds`
}

/**
 * Sends the server a fast shutdown when this process is gone, however it went: the watch reads from a
 * pipe that only we hold the other end of. A line on it means that the server has ended.
 */
function startWatch(pid: number, runAs: RunAs | undefined): ChildProcess {
  const script = 'read -r line || kill -INT "$1"'
  const watch = spawn('/bin/sh', ['-c', script, 'longhaul-watch', String(pid)], {
    ...runAs,
    cwd: '/',
    env: TOOL_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // without a watch the next start still finds and stops what was left
  watch.once('error', () => undefined)
  watch.stdin.on('error', () => undefined)
  return watch
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  for (const [signal, timeoutMs] of [
    ['SIGINT', 10_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    child.kill(signal)
    const timer = new AbortController()
    const late = sleep(timeoutMs, 'late', { signal: timer.signal }).catch(() => 'ended')
    const result = await Promise.race([ended, late])
    timer.abort()
    if (result !== 'late') return
  }
  child.kill('SIGKILL')
  await ended
}

/** On the command line they win over any file in the data folder. */
async function settings(options: PostmasterOptions): Promise<string[]> {
  const { port, durable } = options
  const values = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    max_connections: 100,
    shared_buffers: `${sharedBuffersMiB()}MB`,
    dynamic_shared_memory_type: (await hasSharedMemory()) ? 'posix' : 'mmap',
    // where they are set up but limited, as in a container, touching them kills the server
    huge_pages: 'off',
    max_wal_size: '2GB',
    // nothing is replicated: bulk loads write less
    wal_level: 'minimal',
    max_wal_senders: 0,
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    logging_collector: 'off',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...options.settings,
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** An eighth of what we may use, which a container can have made little of; at most 256 MB. */
function sharedBuffersMiB(): number {
  const limit = process.constrainedMemory()
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return Math.min(256, Math.max(16, Math.floor(bytes / 8 / MiB)))
}

/**
 * Parallel queries share memory in /dev/shm. A container has 64 MB of it unless told otherwise, and a
 * bare one may have a folder there that only root can write to.
 */
async function hasSharedMemory(): Promise<boolean> {
  if (process.platform !== 'linux') return true
  try {
    const [facts, { mode }] = await Promise.all([statfs('/dev/shm'), stat('/dev/shm')])
    return (mode & 0o002) !== 0 && facts.bavail * facts.bsize >= 256 * MiB
  } catch {
    return false
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => undefined)
    socket.once('close', (failed) => {
      resolve(!failed)
    })
  })
}
