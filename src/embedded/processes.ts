import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { isErrno } from './private-file.ts'
import { runTool } from './run-tool.ts'

const POLL_MS = 20

/**
 * What tells a process from a later one with the same id: when it started, and on Linux in which boot.
 * Undefined when no such process runs. A zombie counts as ended: where nobody reaps orphans (a
 * container whose first process is Node) it would otherwise live for ever.
 */
export async function processStamp(pid: number): Promise<string | undefined> {
  if (!mayExist(pid)) return undefined
  if (process.platform !== 'linux') {
    const ps = await runTool('ps', ['-o', 'stat=,lstart=', '-p', String(pid)])
    const [state = 'Z', ...started] = ps.output.trim().split(/\s+/)
    return ps.code !== 0 || state.startsWith('Z') ? undefined : started.join(' ')
  }
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // the command's name, in parentheses, may hold spaces: fields are counted from behind it
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  if (ticks === undefined || state === 'Z' || state === 'X') return undefined
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()} ${ticks}`
}

/** Waits until none of the processes runs. False when one still does after `timeoutMs`. */
export async function waitUntilGone(pids: readonly number[], timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const stamps = await Promise.all(pids.map(processStamp))
    if (stamps.every((stamp) => stamp === undefined)) return true
    if (Date.now() > deadline) return false
    await sleep(POLL_MS)
  }
}

/** Signals a process that may have ended by itself meanwhile. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error
  }
}

function mayExist(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return isErrno(error, 'EPERM')
  }
}
