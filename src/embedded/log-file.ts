import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { MiB } from '../runtime/units.ts'

const MAX_LOG_BYTES = 10 * MiB
const TAIL_LINES = 20

/** Where a child process writes what it has to say. */
export interface LogFile {
  readonly path: string
  readonly fd: number
  /** The last lines of this run; empty when it wrote nothing. */
  tail(): Promise<string>
  /** Closes our descriptor; a child that was given it keeps its own. Idempotent. */
  close(): void
}

/** Opens a log for appending, readable by its owner alone. One above 10 MiB starts afresh. */
export function openLogFile(path: string): LogFile {
  const fd = openSync(path, 'a', 0o600)
  if (fstatSync(fd).size > MAX_LOG_BYTES) ftruncateSync(fd)
  const start = fstatSync(fd).size
  let closed = false
  return {
    path,
    fd,
    async tail() {
      const text = (await readFile(path)).subarray(start).toString()
      return text.trimEnd().split('\n').slice(-TAIL_LINES).join('\n')
    },
    close() {
      if (!closed) closeSync(fd)
      closed = true
    },
  }
}
