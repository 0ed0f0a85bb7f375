import type { DatasetQuery } from '../datasets/dataset.ts'

/** What rows of a query have on average, bytes. */
export interface RowSizes {
  /** As they were measured last; undefined: too few were. */
  of(query: DatasetQuery): number | undefined
  measured(query: DatasetQuery, seen: { readonly rows: number; readonly bytes: number }): void
}

/** Fewer rows say little of those to come. */
const leastRows = 50

/** Queries that are remembered; what differs from export to export are their values, not their texts. */
const mostTexts = 100

/** Remembers what was measured: the next export need not feel its way, which costs a small one more than its rows. */
export function createRowSizes(): RowSizes {
  const known = new Map<string, number>()
  return {
    of: ({ text }) => known.get(text),
    measured({ text }, { rows, bytes }) {
      if (rows < leastRows) return
      if (known.size >= mostTexts && !known.has(text)) known.clear()
      known.set(text, bytes / rows)
    },
  }
}
