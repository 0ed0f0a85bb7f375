import { createHash } from 'node:crypto'

/** Counts rows and bytes, and digests, as data pass; never holds any. */
export interface Tally {
  readonly rows: number
  /** Bytes that have passed. */
  readonly bytes: number
  /** Passes blocks on, counting their rows. */
  countRows<Block extends { readonly rows: number }>(
    blocks: AsyncIterable<Block>,
  ): AsyncGenerator<Block>
  /** Passes chunks on, counting and digesting their bytes. */
  measure(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer>
  /** SHA-256 of all bytes, lower-case hex. Call it once, when the last chunk has passed. */
  sha256(): string
}

export function createTally(): Tally {
  const hash = createHash('sha256')
  let rows = 0
  let bytes = 0
  return {
    get rows() {
      return rows
    },
    get bytes() {
      return bytes
    },
    async *countRows(blocks) {
      for await (const block of blocks) {
        rows += block.rows
        yield block
      }
    },
    async *measure(chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        bytes += chunk.length
        yield chunk
      }
    },
    sha256: () => hash.digest('hex'),
  }
}
