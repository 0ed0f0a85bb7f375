import type { WriteStream } from 'node:fs'

/** More than that in one second is a loop that does not pause. */
const maxLinesPerSecond = 200

export interface ProcessLog {
  /** Takes the next line. */
  line(text: string): void
  isReady(): boolean
  /** Ids of the exports that it works on. */
  busyWith(): readonly string[]
}

interface Entry {
  readonly level: string
  readonly msg: string
  readonly job?: string
  readonly export_id?: string
}

export interface ProcessLogOptions {
  /** Gets every line as it is. */
  readonly file: WriteStream
  /** What no line may hold. */
  readonly secrets: readonly string[]
  readonly onProblem: (kind: string, text: string) => void
}

/** Reads what `longhaul serve` or `longhaul worker` says, and what it should not have said. */
export function createProcessLog({ file, secrets, onProblem }: ProcessLogOptions): ProcessLog {
  let ready = false
  let second = 0
  let lines = 0
  const busy = new Map<string, string>()

  function count(): void {
    const now = Math.floor(Date.now() / 1000)
    if (now !== second) [second, lines] = [now, 0]
    lines += 1
    if (lines === maxLinesPerSecond) onProblem('log-flood', `${lines} lines in a second`)
  }

  function read({ level, msg, job, export_id }: Entry): void {
    if (msg.endsWith(' ready')) ready = true
    if (level === 'fatal') onProblem('log-fatal', msg)
    if (job === undefined || export_id === undefined) return
    if (msg === 'job started') busy.set(job, export_id)
    else busy.delete(job)
  }

  return {
    line(text) {
      file.write(`${text}\n`)
      count()
      if (secrets.some((secret) => text.includes(secret)))
        onProblem('secret', 'a secret in the log')
      if (text.startsWith('{')) read(JSON.parse(text) as Entry)
      // one that cannot start says why, in words; anything else is an error that nobody handled
      else if (ready || /^\s+at |\(node:\d+\)/.test(text)) onProblem('stray-output', text)
    },
    isReady: () => ready,
    busyWith: () => [...busy.values()],
  }
}
