import type { DatasetQuery } from '../datasets/dataset.ts'

/** Reads what is stored. */
export interface ArtifactReader {
  /** The bytes of an object; undefined when there is none. It goes on where a connection broke. @throws StoreError, the signal's reason */
  read(
    key: string,
    options: { readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Buffer> | undefined>
}

/** Counts what the source has now. */
export interface RowCounter {
  /** Rows of all queries together. @throws SourceError, the signal's reason */
  count(
    queries: readonly DatasetQuery[],
    options: { readonly signal: AbortSignal },
  ): Promise<number>
}
