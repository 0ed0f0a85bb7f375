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

/** One statement that yields one text column: a JSON value a row, in the order of the artifact. */
export interface DatasetQuery {
  readonly text: string
  readonly values: readonly string[]
  /**
   * What a row may well have, bytes. A generous guess: it sizes what is read at once, and the parts of
   * the upload.
   */
  readonly rowBytes: number
  /** The error behind a database message that came from `refuse`; undefined for any other message. */
  readonly refusal: (message: string) => ExportError | undefined
}

export interface Dataset {
  readonly name: string
  /**
   * The statements whose rows, one statement after the other, are the export. Each can be answered
   * from an index in order, so that no sort holds back the first row.
   */
  queries(selection: Selection): readonly DatasetQuery[]
}
