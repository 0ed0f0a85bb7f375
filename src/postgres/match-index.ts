import type { TableIndex } from '../datasets/dataset.ts'

/** A B-tree index as the catalog has it: for each column in its key, in order. */
export interface ExistingIndex {
  readonly table: string
  readonly name: string
  readonly valid: boolean
  /** Of a partial index. */
  readonly predicate: string | null
  /** Null: an expression. */
  readonly columns: readonly (string | null)[]
  readonly collations: readonly (string | null)[]
  /** 0: ascending, nulls last; 3: the reverse. */
  readonly options: readonly number[]
}

/** Which of the indexes gives what is wanted; the first that is valid, else the first. Pure. */
export function matchIndex(
  wanted: TableIndex,
  existing: readonly ExistingIndex[],
): ExistingIndex | undefined {
  const matching = existing.filter((index) => matches(wanted, index))
  return matching.find(({ valid }) => valid) ?? matching[0]
}

/** Likewise, one that finds the rows by the first of the columns, and leaves their order to be made. Pure. */
export const matchFirstColumn = (
  wanted: TableIndex,
  existing: readonly ExistingIndex[],
): ExistingIndex | undefined =>
  matchIndex({ ...wanted, columns: wanted.columns.slice(0, 1) }, existing)

function matches(
  { table, columns, notNull }: TableIndex,
  { options, predicate, ...index }: ExistingIndex,
): boolean {
  const sameColumns = columns.every(
    ({ name, collation }, n) =>
      index.columns[n] === name && (collation === undefined || index.collations[n] === collation),
  )
  // an index can be read backwards as well, but only as a whole
  const oneDirection = new Set(options.slice(0, columns.length)).size === 1
  const allRows =
    predicate === null || (notNull !== undefined && predicate === `(${notNull} IS NOT NULL)`)
  return index.table === table && sameColumns && oneDirection && allRows
}
