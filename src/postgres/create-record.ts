import { NotFoundError } from '../errors.ts'
import type { NewExport } from '../export/model.ts'
import type { CreatedExport } from '../export/ports.ts'
import { exportColumns, exportFromRow, type ExportRow } from './export-row.ts'
import type { Query } from './pool.ts'

/** Inserts a record, or finds the one that already has its idempotency key. */
export async function createRecord(query: Query, draft: NewExport): Promise<CreatedExport> {
  const {
    id,
    spec,
    createdAt,
    requestedBy = '',
    idempotencyKey,
    fingerprint,
    traceparent,
    archive,
  } = draft
  const { dataset, range, filterEvents, exportContent, filterState, format, compression } = spec
  const inserted = await query<ExportRow>(
    `insert into longhaul.exports (id, dataset, range_from, range_to, filter_events, export_content,
       filter_state, format, compression, created_at, requested_by, idempotency_key, fingerprint, traceparent, archive)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     on conflict (requested_by, idempotency_key) do nothing
     returning ${exportColumns}`,
    [
      ...[id, dataset, range.from, range.to, filterEvents, exportContent, filterState],
      ...[format, compression, createdAt, requestedBy, idempotencyKey ?? null, fingerprint],
      traceparent ?? null,
      archive ?? null,
    ],
  )
  const [created] = inserted.rows
  if (created !== undefined) return { record: exportFromRow(created), created: true, fingerprint }
  const found = await query<ExportRow>(
    `select ${exportColumns} from longhaul.exports where requested_by = $1 and idempotency_key = $2`,
    [requestedBy, idempotencyKey],
  )
  const [row] = found.rows
  // records are never deleted, so the row that stood in the way is there
  if (row === undefined) throw new NotFoundError(id)
  return { record: exportFromRow(row), created: false, fingerprint: row.fingerprint }
}
