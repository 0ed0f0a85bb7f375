import { readFileSync } from 'node:fs'

/** Of all processors since the machine was started, in ticks. */
export interface ProcessorTime {
  readonly total: number
  /** What the machine's host gave to others, while somebody here wanted it. */
  readonly stolen: number
}

/** All zero where the system does not tell. Fields as in proc_stat(5): the eighth is "steal", those behind it are counted in others. */
export function processorTime(): ProcessorTime {
  let text: string
  try {
    text = readFileSync('/proc/stat', 'utf8')
  } catch {
    return { total: 0, stolen: 0 }
  }
  const ticks = text.split('\n', 1)[0]!.trim().split(/ +/).slice(1, 9).map(Number)
  return { total: ticks.reduce((sum, ticks) => sum + ticks, 0), stolen: ticks[7] ?? 0 }
}

/** From 0 to 1. */
export function stolenShare(from: ProcessorTime, to: ProcessorTime): number {
  const total = to.total - from.total
  return total === 0 ? 0 : (to.stolen - from.stolen) / total
}
