import type { FoundWindow } from '../archive/read-window.ts'
import type { ArchiveSummary } from '../archive/summary.ts'
import type { KnownHold, LedgerWindow } from '../archive/model.ts'
import type { Link } from '../export/ports.ts'
import type { ArchiveListView, ArchiveWindowView } from './archive-schemas.ts'

type ArchiveView = ArchiveListView['archives'][number]

/** An archive as the API shows it, in numbers. */
export const viewArchive = (
  { archive: { name, calendar, settleMs }, ...summary }: ArchiveSummary,
  holds: readonly KnownHold[],
): ArchiveView => ({
  name,
  window: calendar.unit,
  time_zone: calendar.timeZone,
  first: summary.first.name,
  first_at: summary.first.from.toISOString(),
  settle_minutes: settleMs / 60_000,
  counts: summary.counts,
  gaps: summary.gaps.map(({ first, last, windows }) => ({
    first: first.name,
    last: last.name,
    windows,
    time_from: first.from.toISOString(),
    time_to: last.to.toISOString(),
  })),
  failed: summary.failed.map((window) => ({
    window: window.name,
    time_from: window.from.toISOString(),
    time_to: window.to.toISOString(),
    ...viewTries(window),
  })),
  holds: holds.map(({ hold, dates }) => ({
    ...{ id: hold.id, archive: hold.archive, ...dates, reason: hold.reason },
    placed_at: hold.placedAt.toISOString(),
  })),
})

/** A window as the API shows it, with its links. */
export function viewWindow(found: FoundWindow): ArchiveWindowView {
  const { archive, window, state, generations, current } = found
  return {
    archive: archive.name,
    window: window.name,
    unit: archive.calendar.unit,
    time_zone: archive.calendar.timeZone,
    date: window.date,
    time_from: window.from.toISOString(),
    time_to: window.to.toISOString(),
    settled_at: found.settledAt.toISOString(),
    state,
    ...(current === undefined
      ? {}
      : { generation: current.generation, request: viewRequest(current) }),
    generations: generations.map((each) => ({
      ...{ state: each.state, ...viewTries(each), ...viewDeletion(each) },
    })),
    ...viewArchived(found),
  }
}

const viewRequest = ({ request }: LedgerWindow) => ({
  dataset: request.dataset,
  filter_events: request.filter_events,
  export_content: request.export_content,
  filter_state: request.filter_state,
  format: request.format,
  compression: request.compression,
})

const viewTries = ({ generation, tries, exportId, archivedAt, retryAt, error }: LedgerWindow) => ({
  generation,
  tries,
  ...(exportId === undefined ? {} : { export_id: exportId }),
  ...(archivedAt === undefined ? {} : { archived_at: archivedAt.toISOString() }),
  ...(retryAt === undefined ? {} : { retry_at: retryAt.toISOString() }),
  ...(error === undefined ? {} : { error }),
})

const viewDeletion = ({ deletedAt, deletedReason, removedAt }: LedgerWindow) => ({
  ...(deletedAt === undefined ? {} : { deleted_at: deletedAt.toISOString() }),
  ...(deletedReason === undefined ? {} : { deleted_reason: deletedReason }),
  ...(removedAt === undefined ? {} : { removed_at: removedAt.toISOString() }),
})

function viewArchived({ archived }: FoundWindow) {
  if (archived === undefined) return {}
  const { manifest, manifestKey, manifestLink, artifactKey, artifactLink } = archived
  const { bytes, rows, sha256, content_type, raw_bytes, raw_sha256 } = manifest.artifact
  return {
    snapshot_at: manifest.snapshot_at,
    artifact: {
      ...viewLink(artifactLink, artifactKey),
      ...{ bytes, rows, sha256, content_type, raw_bytes, raw_sha256 },
    },
    manifest: viewLink(manifestLink, manifestKey),
  }
}

const viewLink = ({ url, expiresAt }: Link, key: string) => ({
  url,
  url_expires_at: expiresAt.toISOString(),
  key,
})
