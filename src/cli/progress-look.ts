/** What the displays of an export and of a download have in common. */
import { formatBytes } from './output.ts'

/** Between two plain lines, ms. */
export const plainIntervalMs = 5000

/** For cli-progress. */
export const barLook = {
  barsize: 30,
  barCompleteChar: '█',
  barIncompleteChar: '░',
  hideCursor: true,
  clearOnComplete: false,
  gracefulExit: false,
} as const

/** Bytes a second since the first byte was seen; empty until that is known. */
export function createRate(): (bytes: number) => string {
  let first: { at: number; bytes: number } | undefined
  return (bytes) => {
    const now = performance.now()
    if (bytes > 0) first ??= { at: now, bytes: 0 }
    if (first === undefined || now - first.at < 500) return ''
    return `${formatBytes((bytes * 1000) / (now - first.at))}/s`
  }
}
