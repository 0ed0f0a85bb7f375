import { linkExport, type LinkExportDeps } from '../export/link-export.ts'
import type { ExportRecord } from '../export/model.ts'
import type { ExportView } from './schemas.ts'

/**
 * An export as the API shows it: snake_case, fields without a value left out, and a freshly signed
 * link once there is an artifact.
 * @throws StoreError when signing fails
 */
export async function viewExport(deps: LinkExportDeps, record: ExportRecord): Promise<ExportView> {
  const { spec, progress, error } = record
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
    },
    progress: {
      rows: progress.rows,
      bytes: progress.bytes,
      ...(progress.estimatedRows === undefined ? {} : { estimated_rows: progress.estimatedRows }),
    },
    attempt: record.attempt,
    created_at: record.createdAt.toISOString(),
    ...time('started_at', record.startedAt),
    ...time('finished_at', record.finishedAt),
    ...time('snapshot_at', record.snapshotAt),
    ...(error === undefined ? {} : { error }),
    ...(record.state === 'completed' ? { artifact: await viewArtifact(deps, record) } : {}),
  }
}

async function viewArtifact(deps: LinkExportDeps, record: ExportRecord) {
  const link = await linkExport(deps, record)
  const { key, bytes, rows, sha256, contentType } = record.artifact as NonNullable<
    ExportRecord['artifact']
  >
  return {
    url: link.url,
    url_expires_at: link.expiresAt.toISOString(),
    key,
    bytes,
    rows,
    sha256,
    content_type: contentType,
    ...time('expires_at', record.expiresAt),
  }
}

const time = <Name extends string>(name: Name, at: Date | undefined) =>
  (at === undefined ? {} : { [name]: at.toISOString() }) as { [N in Name]?: string }
