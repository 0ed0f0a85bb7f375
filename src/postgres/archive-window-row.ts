import type { LedgerWindow } from '../archive/model.ts'
import type { ErrorFacts } from '../errors.ts'

/** A row of longhaul.archive_windows. */
export interface WindowRow {
  readonly archive: string
  readonly from_at: Date
  readonly to_at: Date
  readonly generation: number
  readonly name: string
  readonly date: string
  readonly request: LedgerWindow['request']
  readonly state: LedgerWindow['state']
  readonly tries: number
  readonly export_id: string | null
  readonly error: ErrorFacts | null
  readonly retry_at: Date | null
  readonly archived_at: Date | null
}

export const windowFromRow = (row: WindowRow): LedgerWindow => ({
  archive: row.archive,
  name: row.name,
  date: row.date,
  from: row.from_at,
  to: row.to_at,
  generation: row.generation,
  request: row.request,
  state: row.state,
  tries: row.tries,
  ...(row.export_id === null ? {} : { exportId: row.export_id }),
  ...(row.error === null ? {} : { error: row.error }),
  ...(row.retry_at === null ? {} : { retryAt: row.retry_at }),
  ...(row.archived_at === null ? {} : { archivedAt: row.archived_at }),
})
