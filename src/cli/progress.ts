import { SingleBar } from 'cli-progress'
import type { ExportView } from '../http/schemas.ts'
import { formatBytes, formatCount, formatDuration } from './output.ts'
import { barLook, createRate, plainIntervalMs } from './progress-look.ts'

export interface ProgressDisplay {
  update(view: ExportView): void
  /** Leaves the terminal as it should be. */
  stop(): void
}

/**
 * Shows how an export gets on, on stderr: a bar on a terminal, else a plain line now and then.
 */
export function createProgressDisplay(
  stream: NodeJS.WriteStream = process.stderr,
): ProgressDisplay {
  return stream.isTTY ? barDisplay(stream) : plainDisplay(stream)
}

function barDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  const bar = new SingleBar({
    ...barLook,
    stream,
    format: '{state} {bar} {rows} rows  {size}  {rate}  {left}',
  })
  const rate = createRate()
  let started = false
  return {
    update(view) {
      const { rows, bytes, estimated_rows: estimated = 0 } = view.progress
      const finished = view.state === 'completed'
      // an estimate may be too small: a bar that is full too early would lie
      const total = finished ? Math.max(rows, 1) : Math.max(estimated, rows + 1)
      const payload = {
        state: view.state.padEnd(9),
        rows: formatCount(rows),
        size: formatBytes(bytes),
        rate: rate(bytes),
        left: timeLeft(view),
      }
      if (!started) bar.start(total, 0, payload)
      started = true
      bar.setTotal(total)
      bar.update(finished ? total : rows, payload)
    },
    stop: () => bar.stop(),
  }
}

function plainDisplay(stream: NodeJS.WriteStream): ProgressDisplay {
  const rate = createRate()
  let shown = 0
  let lastState = ''
  return {
    update(view) {
      const { state, progress } = view
      const now = Date.now()
      if (state === lastState && now - shown < plainIntervalMs) return
      shown = now
      lastState = state
      const { rows, bytes } = progress
      stream.write(
        `${state}: ${formatCount(rows)} rows, ${formatBytes(bytes)}` +
          `${suffix(rate(bytes))}${suffix(timeLeft(view))}\n`,
      )
    },
    stop: () => undefined,
  }
}

const suffix = (text: string) => (text === '' ? '' : `, ${text}`)

/** The server's estimate; empty while it has none. An estimate has no tenths. */
const timeLeft = ({ progress: { eta_seconds: left } }: ExportView) =>
  left === undefined ? '' : `about ${left < 60 ? `${left} s` : formatDuration(left * 1000)} left`
