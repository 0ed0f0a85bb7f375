import type { ErrorFacts } from '../errors.ts'
import type { EventFilter, StateFilter } from '../datasets/dataset.ts'
import type {
  ArchivePlace,
  Artifact,
  ExportRecord,
  ExportSpec,
  ExportState,
  Instant,
  PastAttempt,
} from '../export/model.ts'

/** A row of longhaul.exports as the driver gives it: bigint as text, times as Date. */
export interface ExportRow {
  readonly id: string
  readonly dataset: string
  readonly range_from: string
  readonly range_to: string
  readonly filter_events: EventFilter
  readonly export_content: boolean
  readonly filter_state: StateFilter
  readonly format: ExportSpec['format']
  readonly compression: ExportSpec['compression']
  readonly archive: ArchivePlace | null
  readonly state: ExportState
  readonly attempt: number
  readonly failures: number
  readonly highest_rows: string
  readonly dispatch: number
  readonly held_back: boolean
  readonly lease_until: Date | null
  readonly rows: string
  readonly bytes: string
  readonly estimated_rows: string | null
  readonly fingerprint: string
  readonly error: ErrorFacts | null
  readonly history: readonly HistoryEntry[]
  readonly artifact: Artifact | null
  readonly expires_at: Date | null
  /** Empty: there were no keys. */
  readonly requested_by: string
  readonly traceparent: string | null
  readonly created_at: Date
  readonly started_at: Date | null
  readonly attempt_at: Date | null
  readonly progress_at: Date | null
  readonly finished_at: Date | null
  readonly snapshot_at: Date | null
  readonly replayed_at: Date | null
}

/** A past attempt in JSON: times as text. */
type HistoryEntry = Omit<PastAttempt, 'startedAt' | 'endedAt'> & {
  readonly startedAt: string
  readonly endedAt: string
}

/** The range keeps its microseconds, which a Date would lose. */
const instantColumn = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ${column}`

/** What every statement selects or returns. */
export const exportColumns = `id, dataset, ${instantColumn('range_from')}, ${instantColumn('range_to')},
  filter_events, export_content, filter_state, format, compression, archive, state, attempt, failures, highest_rows, dispatch, held_back,
  lease_until, rows, bytes, estimated_rows, fingerprint, error, history, artifact, expires_at,
  requested_by, traceparent, created_at, started_at, attempt_at, progress_at, finished_at, snapshot_at, replayed_at`

/** Six digits back to three, when the last three are zero. */
const instant = (text: string) => text.replace(/000Z$/, 'Z') as Instant

/** Names a value only when there is one, as exact optional properties want it. */
const present = <Key extends string, Value>(key: Key, value: Value | null) =>
  (value === null ? {} : { [key]: value }) as { [K in Key]?: Value }

export function exportFromRow(row: ExportRow): ExportRecord {
  return {
    id: row.id,
    spec: {
      dataset: row.dataset,
      range: { from: instant(row.range_from), to: instant(row.range_to) },
      filterEvents: row.filter_events,
      exportContent: row.export_content,
      filterState: row.filter_state,
      format: row.format,
      compression: row.compression,
    },
    ...present('archive', row.archive),
    state: row.state,
    attempt: row.attempt,
    failures: row.failures,
    highestRows: Number(row.highest_rows),
    dispatch: row.dispatch,
    ...(row.held_back && row.state === 'queued' ? { heldBack: true } : {}),
    progress: {
      rows: Number(row.rows),
      bytes: Number(row.bytes),
      ...present('estimatedRows', row.estimated_rows === null ? null : Number(row.estimated_rows)),
    },
    ...present('requestedBy', row.requested_by === '' ? null : row.requested_by),
    ...present('traceparent', row.traceparent),
    createdAt: row.created_at,
    ...present('startedAt', row.started_at),
    ...present('attemptAt', row.attempt_at),
    ...present('progressAt', row.progress_at),
    ...present('finishedAt', row.finished_at),
    ...present('leaseUntil', row.lease_until),
    ...present('snapshotAt', row.snapshot_at),
    ...present('replayedAt', row.replayed_at),
    ...present('error', row.error),
    history: row.history.map((past) => ({
      ...past,
      startedAt: new Date(past.startedAt),
      endedAt: new Date(past.endedAt),
    })),
    ...present('artifact', row.artifact),
    ...present('expiresAt', row.expires_at),
  }
}
