import { readFile, readdir } from 'node:fs/promises'

/** Clock ticks of proc(5) in a second: the same on every Linux that Node runs on. */
const ticksPerSecond = 100

interface Stat {
  readonly parent: number
  /** Of the process, seconds. */
  readonly own: number
  /** Of its children that have ended, and theirs, seconds. */
  readonly ended: number
}

/** Undefined when there is no such process any more. Linux only. */
async function statOf(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  // the name, in parentheses, may hold anything; what follows are fields 3 and on
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return {
    parent: field(4),
    own: (field(14) + field(15)) / ticksPerSecond,
    ended: (field(16) + field(17)) / ticksPerSecond,
  }
}

/** Processor time of a process and all its descendants so far, those that have ended included, seconds. */
export async function cpuSeconds(root: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  const stats = new Map<number, Stat>()
  for (const pid of pids) {
    const stat = await statOf(pid)
    if (stat !== undefined) stats.set(pid, stat)
  }
  let sum = 0
  const add = (pid: number): void => {
    const stat = stats.get(pid)
    if (stat === undefined) return
    sum += stat.own + stat.ended
    for (const [child, { parent }] of stats) if (parent === pid) add(child)
  }
  add(root)
  return sum
}
