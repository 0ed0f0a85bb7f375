import { estimateSecondsLeft } from '../export/time-left.ts'
import type { Artifact, ExportRecord, PastAttempt } from '../export/model.ts'
import type { Link } from '../export/ports.ts'
import type { ExportView } from './schemas.ts'

/** An export as the API shows it, but for its artifact: snake_case, fields without a value left out. */
export function viewExport(record: ExportRecord): ExportView {
  const { spec, progress, error } = record
  const left = estimateSecondsLeft(record)
  return {
    id: record.id,
    state: record.state,
    request: {
      dataset: spec.dataset,
      time_from: spec.range.from,
      time_to: spec.range.to,
      filter_events: spec.filterEvents,
      export_content: spec.exportContent,
      filter_state: spec.filterState,
      format: spec.format,
      compression: spec.compression,
    },
    progress: {
      rows: progress.rows,
      bytes: progress.bytes,
      ...(progress.estimatedRows === undefined ? {} : { estimated_rows: progress.estimatedRows }),
      ...(left === undefined ? {} : { eta_seconds: left }),
    },
    ...(record.heldBack === undefined ? {} : { held_back: record.heldBack }),
    attempt: record.attempt,
    ...(record.requestedBy === undefined ? {} : { requested_by: record.requestedBy }),
    created_at: record.createdAt.toISOString(),
    ...time('started_at', record.startedAt),
    ...time('finished_at', record.finishedAt),
    ...time('snapshot_at', record.snapshotAt),
    ...(error === undefined ? {} : { error }),
    attempts: record.history.map(viewAttempt),
  }
}

/** The same with its artifact. @param link to it; undefined: there is none to show */
export const addArtifact = (
  view: ExportView,
  { artifact, expiresAt }: ExportRecord,
  link: Link | undefined,
): ExportView =>
  artifact === undefined || link === undefined
    ? view
    : { ...view, artifact: viewArtifact(artifact, link, expiresAt) }

const viewAttempt = ({ attempt, outcome, startedAt, endedAt, rows, error }: PastAttempt) => ({
  attempt,
  outcome,
  started_at: startedAt.toISOString(),
  ended_at: endedAt.toISOString(),
  rows,
  ...(error === undefined ? {} : { error }),
})

const viewArtifact = (
  { key, bytes, rows, sha256, contentType, rawBytes = bytes, rawSha256 = sha256 }: Artifact,
  { url, expiresAt }: Link,
  deletedAt: Date | undefined,
) => ({
  url,
  url_expires_at: expiresAt.toISOString(),
  key,
  bytes,
  rows,
  sha256,
  content_type: contentType,
  raw_bytes: rawBytes,
  raw_sha256: rawSha256,
  ...time('expires_at', deletedAt),
})

const time = <Name extends string>(name: Name, at: Date | undefined) =>
  (at === undefined ? {} : { [name]: at.toISOString() }) as { [N in Name]?: string }
