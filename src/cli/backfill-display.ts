import { MultiBar, type SingleBar } from 'cli-progress'
import type { BackfilledWindow, BackfillProgress } from '../archive/backfill.ts'
import { formatBytes, formatCount } from './output.ts'
import { barLook } from './progress-look.ts'

export interface BackfillDisplay {
  update(window: BackfilledWindow, progress: BackfillProgress): void
  /** Leaves the terminal as it should be; safe to call again. */
  stop(): void
}

/** Shows how a backfill gets on, on stderr: a line for each window that is done, and on a terminal a bar for the whole. */
export function createBackfillDisplay(
  stream: NodeJS.WriteStream = process.stderr,
): BackfillDisplay {
  if (!stream.isTTY) {
    return {
      update(window) {
        if (window.outcome !== 'present')
          stream.write(`${lineOf(window)}
`)
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
  let shown = ''
  return {
    update(window, { total, archived, failed, present, deleted }) {
      const { archive } = window.window
      const done = archived + failed + present + deleted
      if (bar === undefined || shown !== archive) bar = bars.create(total, 0, { archive, done: 0 })
      shown = archive
      if (window.outcome !== 'present') bars.log(`${lineOf(window)}\n`)
      bar.update(done, { archive, done: formatCount(done) })
    },
    stop: () => bars.stop(),
  }
}

function lineOf({ window, outcome, artifact }: BackfilledWindow): string {
  const begin = `${window.archive} ${window.name}  ${outcome}`
  if (outcome === 'failed') return `${begin}: ${window.error?.message ?? 'for an unknown reason'}`
  if (outcome === 'deleted') return `${begin} before: ${window.deletedReason ?? 'by its policy'}`
  return artifact === undefined
    ? begin
    : `${begin}  ${formatCount(artifact.rows)} rows, ${formatBytes(artifact.bytes)}`
}
