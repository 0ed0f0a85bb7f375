import type { Format } from './format.ts'

const lineFeed = 0x0a

/** What stands in a line, without its line feed; the last one is what stands behind the last of them, perhaps nothing. */
export async function* readLines(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<{ readonly line: Buffer; readonly isLast: boolean }> {
  let held: Buffer[] = []
  const joined = (end: Buffer) => {
    const line = held.length === 0 ? end : Buffer.concat([...held, end])
    held = []
    return line
  }
  for await (const chunk of chunks) {
    let begin = 0
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, begin)) {
      yield { line: joined(chunk.subarray(begin, end)), isLast: false }
      begin = end + 1
    }
    if (begin < chunk.length) held.push(Buffer.from(chunk.subarray(begin)))
  }
  yield { line: joined(Buffer.alloc(0)), isLast: true }
}

/**
 * The elements of an artifact as Longhaul writes it, parsed; one at a time.
 * @throws SyntaxError where it is something else
 */
export async function* readElements(chunks: AsyncIterable<Buffer>, format: Format): AsyncGenerator {
  let isFirst = true
  for await (const { line } of readLines(chunks)) {
    const text = line.toString('utf8')
    // the bracket before it, and the comma or bracket behind it
    const element = format === 'ndjson' ? text : text.slice(isFirst ? 1 : 0, -1)
    isFirst = false
    if (element !== '') yield JSON.parse(element) as unknown
  }
}
