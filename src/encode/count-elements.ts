import type { Format } from './format.ts'
import { readLines } from './read-elements.ts'

export interface ElementCount {
  readonly rows: number
  /** Where it stops being what Longhaul writes; undefined: all of it is. Says nothing of what stands there. */
  readonly problem?: string
}

const [comma, opening, closing] = [0x2c, 0x5b, 0x5d]

/**
 * Counts the elements of an artifact as they pass, and parses each: one a line, in an array with `[`, `]` and commas around them. Holds one
 * of them at a time.
 */
export async function countElements(
  chunks: AsyncIterable<Buffer>,
  format: Format,
): Promise<ElementCount> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let rows = 0
  let problem: string | undefined
  function take(line: Buffer): void {
    try {
      JSON.parse(decoder.decode(line))
      rows++
    } catch {
      problem ??= `element ${rows + 1} is no JSON`
    }
  }

  let lines = 0
  for await (const { line, isLast } of readLines(chunks)) {
    lines++
    if (problem !== undefined) continue
    if (format === 'ndjson') {
      if (!isLast) take(line)
      else if (line.length > 0) problem = `it ends within element ${rows + 1}`
      continue
    }
    const begin = lines === 1 ? 1 : 0
    if (lines === 1 && line[0] !== opening) problem = 'it does not begin with ['
    else if (line.at(-1) !== (isLast ? closing : comma))
      problem = `it ends within element ${rows + 1}`
    else if (line.length > begin + 1 || !isLast || lines > 1) take(line.subarray(begin, -1))
  }
  return problem === undefined ? { rows } : { rows, problem }
}
