import { createHash } from 'node:crypto'
import { StateError } from '../errors.ts'
import type { ExportRecord } from '../export/model.ts'
import { archivesFolder, compactInstant } from '../export/object-key.ts'
import { version } from '../version.ts'
import type { Calendar } from './calendar.ts'
import type { LedgerWindow } from './model.ts'

/** Of the manifest's own form: grows when a reader of the form before would misread it. */
const manifestVersion = 1

/** Below it are the manifests of an archive; a name that readers of partitions leave out. */
const manifestsFolder = (prefix: string, archive: string) =>
  `${archivesFolder(prefix)}${archive}/_manifests/`

/** `<prefix>archive/<archive>/_manifests/20260328T230000Z_20260329T220000Z_g1.json` */
export function manifestKey(
  prefix: string,
  { archive, generation }: Pick<LedgerWindow, 'archive' | 'generation'>,
  { range }: ExportRecord['spec'],
): string {
  const [from, to] = [compactInstant(range.from), compactInstant(range.to)]
  return `${manifestsFolder(prefix, archive)}${from}_${to}_g${generation}.json`
}

/** What a manifest says; in snake_case, as it is read by programs of others. */
export function describeWindow(
  window: LedgerWindow,
  { unit, timeZone }: Calendar,
  record: ExportRecord,
) {
  const { id, attempt, spec, artifact, snapshotAt, finishedAt } = record
  if (artifact === undefined) {
    throw new StateError('EXPORT_NOT_READY', `Export ${id} has no artifact.`, record.state)
  }
  const { key, bytes, rows, sha256, contentType, rawBytes = bytes, rawSha256 = sha256 } = artifact
  return {
    manifest_version: manifestVersion,
    archive: window.archive,
    window: window.name,
    date: window.date,
    generation: window.generation,
    ...{ unit, time_zone: timeZone },
    dataset: spec.dataset,
    time_from: spec.range.from,
    time_to: spec.range.to,
    filter_events: spec.filterEvents,
    filter_state: spec.filterState,
    export_content: spec.exportContent,
    format: spec.format,
    compression: spec.compression,
    ...{ export_id: id, attempt },
    snapshot_at: snapshotAt?.toISOString(),
    finished_at: finishedAt?.toISOString(),
    artifact: {
      ...{ key, rows, bytes, sha256 },
      ...{ raw_bytes: rawBytes, raw_sha256: rawSha256, content_type: contentType },
    },
    software: `longhaul ${version}`,
  }
}

export type Manifest = ReturnType<typeof describeWindow>

/**
 * The manifest's bytes: one JSON text in one line, whose last member, `sha256`, is the digest of what it would be
 * without that member. `jq -cj 'del(.sha256)' FILE | sha256sum` computes it anew.
 */
export function sealManifest(manifest: Manifest): string {
  const text = JSON.stringify(manifest)
  const sha256 = createHash('sha256').update(text).digest('hex')
  return `${JSON.stringify({ ...manifest, sha256 })}\n`
}
