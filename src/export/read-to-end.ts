import type { DatasetQuery } from '../datasets/dataset.ts'
import type { Snapshot } from './ports.ts'

/**
 * Reads a snapshot, and closes it with its last row: a snapshot that is open holds up vacuum in the source,
 * and what becomes of the last rows may take minutes. Leaving early closes it, too.
 */
export async function* readToEnd(
  snapshot: Snapshot,
  queries: readonly DatasetQuery[],
): AsyncGenerator<readonly string[]> {
  try {
    yield* snapshot.read(queries)
  } finally {
    await snapshot.close()
  }
}
