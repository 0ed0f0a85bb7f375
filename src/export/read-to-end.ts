import type { DatasetQuery } from '../datasets/dataset.ts'
import type { ReadOptions, RowBlock, Snapshot } from './ports.ts'

/**
 * Reads a snapshot, and closes it with its last row: a snapshot that is open holds up vacuum in the source,
 * and what becomes of the last rows may take minutes. Leaving early closes it, too.
 */
export async function* readToEnd(
  snapshot: Snapshot,
  queries: readonly DatasetQuery[],
  options: ReadOptions,
): AsyncGenerator<RowBlock> {
  try {
    yield* snapshot.read(queries, options)
  } finally {
    await snapshot.close()
  }
}
