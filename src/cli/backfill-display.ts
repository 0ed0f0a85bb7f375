import { MultiBar, type SingleBar } from 'cli-progress'
import type { WaitsFor } from '../archive/idle-watch.ts'
import type { BackfilledWindow, BackfillProgress } from '../archive/backfill.ts'
import { formatBytes, formatCount } from './output.ts'
import { barLook } from './progress-look.ts'

export interface BackfillDisplay {
  begin(archive: string, total: number): void
  update(window: BackfilledWindow, progress: BackfillProgress): void
  /** Of something on the way. */
  note(line: string): void
  /** Leaves the terminal as it should be; safe to call again. */
  stop(): void
}

/** Shows how a backfill gets on, on stderr: a line for each window that is done, and on a terminal a bar for the whole. */
export function createBackfillDisplay(
  stream: NodeJS.WriteStream = process.stderr,
): BackfillDisplay {
  if (!stream.isTTY) {
    const note = (line: string) => void stream.write(`${line}\n`)
    return {
      note,
      begin: () => undefined,
      update(window) {
        if (window.outcome !== 'present') note(lineOf(window))
      },
      stop: () => undefined,
    }
  }
  const bars = new MultiBar({
    ...barLook,
    stream,
    format: '{archive} {bar} {done} of {total} windows',
  })
  let bar: SingleBar | undefined
  const note = (line: string) => bars.log(`${line}\n`)
  return {
    note,
    begin(archive, total) {
      bar = total === 0 ? undefined : bars.create(total, 0, { archive, done: 0 })
    },
    update(window, { archived, failed, present, deleted }) {
      const done = archived + failed + present + deleted
      if (window.outcome !== 'present') note(lineOf(window))
      bar?.update(done, { archive: window.window.archive, done: formatCount(done) })
    },
    stop: () => bars.stop(),
  }
}

/** What a person reads while nothing moves. */
export const describeIdle = (waitsFor: WaitsFor): string =>
  waitsFor === 'worker'
    ? 'No worker has taken up any of these windows yet: see that one runs, by the same configuration, and whether other exports keep it busy. Waiting …'
    : 'The source is a standby that has not replayed the end of the next window yet. Waiting …'

function lineOf({ window, outcome, artifact }: BackfilledWindow): string {
  const begin = `${window.archive} ${window.name}  ${outcome}`
  if (outcome === 'failed') return `${begin}: ${window.error?.message ?? 'for an unknown reason'}`
  if (outcome === 'deleted') return `${begin} before: ${window.deletedReason ?? 'by its policy'}`
  return artifact === undefined
    ? begin
    : `${begin}  ${formatCount(artifact.rows)} rows, ${formatBytes(artifact.bytes)}`
}
