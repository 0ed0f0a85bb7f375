import type { DatasetQuery } from '../../src/datasets/dataset.ts'
import type { RowBlock, Snapshot } from '../../src/export/ports.ts'

/** Elements as a row source hands them out. */
export const blockOf = (texts: readonly string[], separator = ',\n'): RowBlock => ({
  bytes: Buffer.from(texts.map((text) => text + separator).join('')),
  rows: texts.length,
})

/** The elements of each block; none of them may hold a line feed. */
export async function* readBlocks(
  snapshot: Snapshot,
  queries: readonly DatasetQuery[],
): AsyncGenerator<readonly string[]> {
  for await (const { bytes, rows } of snapshot.read(queries, { separator: '\n' })) {
    const texts = bytes.toString().split('\n').slice(0, -1)
    if (texts.length !== rows) throw new Error(`${texts.length} elements, not ${rows}`)
    yield texts
  }
}
