import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogFile } from '../../src/embedded/log-file.ts'
import { runTool, TOOL_ENVIRONMENT } from '../../src/embedded/run-tool.ts'

/** A folder of temporary files, and the processes that work in it: both end together. Linux only. */
export interface ProcessFolder {
  readonly path: string
  /** Runs a program to its end, and throws with what it said when it fails. */
  run(file: string, args: readonly string[]): Promise<void>
  /** Starts a program that stays. `ended` resolves once it has, with how it did. */
  start(
    file: string,
    args: readonly string[],
  ): { readonly pid: number; readonly ended: Promise<string> }
  /** What the programs that stay wrote last. */
  lastWords(): Promise<string>
  /** Kills every process, and removes the folder. Resolves when all is gone. */
  close(): Promise<void>
}

/** On every process of a folder, which it hands on to its own: how they are found again. */
const mark = 'LONGHAUL_TEST_FOLDER'

/**
 * Waits for its input to end, which it does when we close it and when we are gone, however we went. What
 * it then ends are processes by their id, found by the mark, so that none is forgotten that was just
 * starting, and none is hit that was given the id of another.
 */
const closer = `
  read -r line
  marked() { grep -lszxF -- "${mark}=$1" /proc/[0-9]*/environ | cut -d/ -f3; }
  while pids=$(marked "$1"); [ -n "$pids" ]; do kill -KILL $pids; sleep 0.05; done
  exec rm -rf -- "$1"`

/** `nobody` of Debian: who the processes run as when we are root. */
const nobody = { uid: 65_534, gid: 65_534 }

/** Makes a new folder, owned by whom its processes run as: `nobody` when we are root, else ourselves. */
export async function createProcessFolder(prefix: string): Promise<ProcessFolder> {
  const runAs = process.getuid?.() === 0 ? nobody : undefined
  // root's folder of temporary files may be closed to nobody
  const parent = await realpath(runAs === undefined ? tmpdir() : '/var/tmp')
  const path = await mkdtemp(join(parent, prefix))
  if (runAs !== undefined) await chown(path, runAs.uid, runAs.gid)

  // in a group of its own, as are the processes: Ctrl-C must reach us first
  const watch = spawn('/bin/sh', ['-c', closer, 'longhaul-closer', path], {
    cwd: '/',
    env: TOOL_ENVIRONMENT,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watch.stdin.on('error', () => undefined)
  const closed = once(watch, 'exit')
  await once(watch, 'spawn')

  const log = openLogFile(join(path, 'log'))
  return {
    path,
    lastWords: () => log.tail(),
    async run(file, args) {
      const { code, output } = await runTool('/usr/bin/env', [`${mark}=${path}`, file, ...args], {
        runAs,
        cwd: path,
      })
      if (code !== 0)
        throw new TypeError(`${file} failed (${code ?? 'out of time'}): ${output.trim()}`)
    },
    start(file, args) {
      const child = spawn(file, args, {
        ...runAs,
        cwd: path,
        env: { ...TOOL_ENVIRONMENT, [mark]: path },
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
      })
      const ended = once(child, 'exit').then(
        ([code, signal]: unknown[]) => `${file} ended (${String(code ?? signal)})`,
        (error: unknown) => `${file} cannot be started: ${String(error)}`,
      )
      return { pid: child.pid ?? 0, ended }
    },
    async close() {
      watch.stdin.end()
      await closed
      log.close()
    },
  }
}
