import { readFile, readdir, readlink, rm } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { StackError } from '../errors.ts'
import type { PostgresHome } from './postgres-home.ts'
import { readOptionalFile } from './private-file.ts'
import { signalProcess, waitUntilGone } from './processes.ts'
import { runTool } from './run-tool.ts'

const PROGRAMS = ['postgres', 'initdb']
/** Fast shutdown; immediate shutdown; no more asking. With how long each may take. */
const STEPS: readonly (readonly [NodeJS.Signals, number])[] = [
  ['SIGINT', 10_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 5_000],
]

interface Found {
  readonly pid: number
  /** Its parent's process id, where that is known. */
  readonly parent?: number
}

/**
 * Stops what an earlier parent that was killed left running in this home, and removes its
 * `postmaster.pid`. Only to be called with the data folder's lock held.
 *
 * Throws StackError when it cannot be stopped.
 */
export async function stopStalePostgres(
  home: PostgresHome,
  log: (line: string) => void,
): Promise<void> {
  for (const [signal, timeoutMs] of STEPS) {
    const found = await findPostgres(home)
    if (found.length === 0) break
    // the postmaster tells its children itself; to some of them these signals mean other things
    const heads = found.filter(({ parent }) => !found.some(({ pid }) => pid === parent))
    log(
      `Stopping PostgreSQL that an earlier run left (process ${heads[0]?.pid ?? '?'}, ${signal}).`,
    )
    for (const { pid } of heads) signalProcess(pid, signal)
    await waitUntilGone(
      found.map(({ pid }) => pid),
      timeoutMs,
    )
  }
  const [left] = await findPostgres(home)
  if (left !== undefined) {
    throw new StackError(`Process ${left.pid} still runs on the database in ${home.path}.`, {
      hint: `Stop it by hand: kill ${left.pid}`,
    })
  }
  // its process id may belong to somebody else by now, which PostgreSQL would take for itself
  await rm(join(home.data, 'postmaster.pid'), { force: true })
}

/** PostgreSQL's processes that work in this home. */
async function findPostgres(home: PostgresHome): Promise<Found[]> {
  if (process.platform === 'linux') return findByWorkingFolder(home.path)
  const pid = Number((await readOptionalFile(join(home.data, 'postmaster.pid')))?.split('\n')[0])
  if (!Number.isSafeInteger(pid) || pid <= 0) return []
  const { code, output } = await runTool('ps', ['-o', 'command=', '-p', String(pid)])
  return code === 0 && output.includes(home.data) ? [{ pid }] : []
}

/** Also finds children that outlived their postmaster, and an initdb: neither is in `postmaster.pid`. */
async function findByWorkingFolder(folder: string): Promise<Found[]> {
  const found: Found[] = []
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    // another user's process, or one that has just ended, does not let itself be read
    const [status, cwd] = await Promise.all([
      readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''),
      readlink(`/proc/${pid}/cwd`).catch(() => ''),
    ])
    const command = /^Name:\t(.*)$/m.exec(status)?.[1] ?? ''
    const parent = Number(/^PPid:\t(\d+)$/m.exec(status)?.[1])
    if (PROGRAMS.includes(command) && isWithin(cwd, folder)) found.push({ pid, parent })
  }
  return found
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder + sep)
}
