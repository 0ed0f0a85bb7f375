/**
 * A dataset says how to select and render one kind of record. The pipeline knows datasets by this
 * interface only.
 */
import type { ExportError } from '../errors.ts'

export const eventFilters = ['any', 'started', 'completed'] as const
export type EventFilter = (typeof eventFilters)[number]

export const stateFilters = ['any', 'active', 'inactive'] as const
export type StateFilter = (typeof stateFilters)[number]

/** Which records, and how much of each. `from` and `to` are RFC 3339 in UTC; the range is `[from, to)`. */
export interface Selection {
  readonly from: string
  readonly to: string
  readonly events: EventFilter
  readonly state: StateFilter
  readonly content: boolean
}

export type Value = string | readonly string[]

export interface Statement {
  readonly text: string
  readonly values: readonly Value[]
}

/** One statement that yields one text column: a JSON value a row, in the order of the artifact. */
export interface DatasetQuery extends Statement {
  /**
   * What a row may well have, bytes. A generous guess: it sizes what is read at first, and the parts of
   * the upload.
   */
  readonly rowBytes: number
  /** What the statement reads. */
  readonly tables: readonly SourceTable[]
  /** The error behind a database message that came from `refuse`; undefined for any other message. */
  readonly refusal: (message: string) => ExportError | undefined
  /** Finds the record at which the database failed without naming it; absent where none can be found. */
  readonly search?: RecordSearch
  /** Whether the server may sort: where few rows are left over, another index than that of their order finds them. */
  readonly mayBeSorted: boolean
  /** How the same rows are read segment by segment; absent where they can only be read as a whole. */
  readonly segments?: Segments
}

/** Part of a range of events, `[from, to)`, RFC 3339 in UTC. */
export interface Span {
  readonly from: string
  readonly to: string
}

/** Where a row stands in the order: at which time, as PostgreSQL writes it, and with which id. */
export interface Place {
  readonly at: string
  readonly id: string
}

/** Part of a range: where many records share a time, it begins behind a place, and ends with another. */
export interface Segment extends Span {
  readonly after?: Place
  readonly upTo?: Place
}

/** A range of events in the order of an index, which is what makes a segment cheap to read. */
export interface Segments {
  readonly range: Span
  /** The rows of a segment. The text ends with the order, so that a limit may follow. */
  of(segment: Segment): DatasetQuery
  /**
   * The same rows by slices, where elements are so small that a row of its own for each is dear: for each
   * slice one row of its elements, joined by `separator`, and their number. Of a slice that has
   * more, only `limit` rows come: then it was not read to its end.
   */
  packed?(slices: readonly Span[], options: PackOptions): DatasetQuery
  /** The places of a segment's rows, as columns `at` and `id`, in their order; cheap to plan, and from an index. */
  places(segment: Segment): Statement
}

export interface PackOptions {
  readonly separator: string
  /** Rows of a slice. */
  readonly limit: number
}

/** What a column holds. Longer integers and shorter texts will do; a type that needs a conversion will not. */
export type ColumnType = 'text' | 'integer' | 'timestamp with time zone' | 'jsonb'

/** A table, or a view in its place, and those of its columns that are read. */
export interface SourceTable {
  readonly name: string
  readonly columns: Readonly<Record<string, ColumnType>>
}

export interface RecordSearch {
  /** A statement for the ids of the same rows, in the same order, with the same values. */
  readonly ids: string
  /** The same rows, but only those whose ids are in an array: the value after the others. */
  readonly among: string
  /** The error that names the record. */
  readonly failure: (id: string, problem: string) => ExportError
}

/** An index without which a range, or what belongs to its records, is found by reading whole tables. */
export interface TableIndex {
  /** What to call it where it has to be made. */
  readonly name: string
  readonly table: string
  /** Its first columns; more may follow. */
  readonly columns: readonly IndexColumn[]
  /** Rows without a value in this column may be left out. */
  readonly notNull?: string
}

export interface IndexColumn {
  readonly name: string
  /** Where it matters: the order of an export is that of bytes. */
  readonly collation?: 'C'
}

/** A column of times by which ranges are selected. */
export interface EventColumn {
  readonly table: string
  readonly column: string
}

export interface Dataset {
  readonly name: string
  /** Of the form of its elements: grows when a reader of the form before would misread them. */
  readonly schemaVersion: number
  /** All that its queries may read. */
  readonly tables: readonly SourceTable[]
  readonly indexes: readonly TableIndex[]
  /** Tells from when the latest records are. */
  readonly event: EventColumn
  /** The id of the record that an element of the artifact is of. @param element parsed */
  readonly identify: (element: unknown) => string
  /**
   * The statements whose rows, one statement after the other, are the export. Each can be answered
   * from an index in order, so that no sort holds back the first row.
   */
  queries(selection: Selection): readonly DatasetQuery[]
}
