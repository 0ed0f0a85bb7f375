import { SingleBar } from 'cli-progress'
import type { DownloadProgress } from '../client/download.ts'
import { formatBytes } from './output.ts'
import { barLook, createRate, plainIntervalMs } from './progress-look.ts'

export interface DownloadDisplay {
  update(progress: DownloadProgress): void
  /** Leaves the terminal as it should be. */
  stop(): void
}

/**
 * Shows how a download gets on, on stderr: a bar on a terminal, else a plain line now and then, and
 * none at all for one that is soon done.
 */
export function createDownloadDisplay(
  stream: NodeJS.WriteStream = process.stderr,
): DownloadDisplay {
  return stream.isTTY ? barDisplay(stream) : plainDisplay(stream)
}

function barDisplay(stream: NodeJS.WriteStream): DownloadDisplay {
  const bar = new SingleBar({
    ...barLook,
    stream,
    format: 'download {bar} {percentage} %  {size} of {whole}  {rate}',
  })
  const rate = createRate()
  let started = false
  return {
    update({ bytes, totalBytes }) {
      const whole = formatBytes(totalBytes)
      const payload = { size: formatBytes(bytes), whole, rate: rate(bytes) }
      if (started) bar.update(bytes, payload)
      else bar.start(totalBytes, bytes, payload)
      started = true
    },
    stop: () => bar.stop(),
  }
}

function plainDisplay(stream: NodeJS.WriteStream): DownloadDisplay {
  const rate = createRate()
  let shownAt: number | undefined
  return {
    update({ bytes, totalBytes }) {
      const now = performance.now()
      const speed = rate(bytes)
      shownAt ??= now
      if (now - shownAt < plainIntervalMs) return
      shownAt = now
      stream.write(`download: ${formatBytes(bytes)} of ${formatBytes(totalBytes)}, ${speed}\n`)
    },
    stop: () => undefined,
  }
}
