import { createHash } from 'node:crypto'
import { z } from 'zod'
import { StateError, StoreError } from '../errors.ts'
import { instantOf } from '../export/instant.ts'
import type { ExportRecord, ExportSpec, Instant } from '../export/model.ts'
import { compactInstant, manifestsFolder } from '../export/object-key.ts'
import { exportRequest, schemaVersionOf } from '../export/spec.ts'
import { version } from '../version.ts'
import type { Calendar, LedgerWindow } from './model.ts'

/** Of the manifest's own form: grows when a reader of the form before would misread it. */
const manifestVersion = 1

/** `<prefix>archive/<archive>/_manifests/20260328T230000Z_20260329T220000Z_g1.json` */
export function manifestKey(
  prefix: string,
  { archive, from, to, generation }: Pick<LedgerWindow, 'archive' | 'from' | 'to' | 'generation'>,
): string {
  const range = [from, to].map((at) => compactInstant(instantOf(at))).join('_')
  return `${manifestsFolder(prefix, archive)}${range}_g${generation}.json`
}

/** What a manifest says; in snake_case, as it is read by programs of others. */
export function describeWindow(
  window: LedgerWindow,
  { unit, timeZone }: Calendar,
  record: ExportRecord,
) {
  const { id, attempt, spec, artifact, snapshotAt, replayedAt, finishedAt } = record
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
    schema_version: schemaVersionOf(spec),
    time_from: spec.range.from,
    time_to: spec.range.to,
    filter_events: spec.filterEvents,
    filter_state: spec.filterState,
    export_content: spec.exportContent,
    format: spec.format,
    compression: spec.compression,
    ...{ export_id: id, attempt },
    snapshot_at: snapshotAt?.toISOString(),
    ...describeReplay(snapshotAt, replayedAt),
    finished_at: finishedAt?.toISOString(),
    artifact: {
      ...{ key, rows, bytes, sha256 },
      ...{ raw_bytes: rawBytes, raw_sha256: rawSha256, content_type: contentType },
    },
    software: `longhaul ${version}`,
  }
}

/** Of a standby: what was committed on its primary before is in the snapshot, which lags behind it by so much at most, ms. */
const describeReplay = (snapshotAt: Date | undefined, replayedAt: Date | undefined) =>
  snapshotAt === undefined || replayedAt === undefined
    ? {}
    : {
        replayed_at: replayedAt.toISOString(),
        replay_lag_ms: Math.max(0, snapshotAt.getTime() - replayedAt.getTime()),
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

const { shape: asked } = exportRequest

/** What a reader needs of a manifest: newer versions may say more. */
const manifestShape = z.looseObject({
  manifest_version: z.literal(manifestVersion),
  ...{ archive: z.string(), window: z.string(), generation: z.int() },
  ...{ dataset: z.string(), time_from: z.iso.datetime(), time_to: z.iso.datetime() },
  filter_events: asked.filter_events.unwrap(),
  filter_state: asked.filter_state.unwrap(),
  export_content: z.boolean(),
  format: asked.format.unwrap(),
  compression: asked.compression.unwrap(),
  snapshot_at: z.iso.datetime(),
  artifact: z.looseObject({
    ...{ key: z.string(), rows: z.int(), bytes: z.int(), sha256: z.string() },
    ...{ raw_bytes: z.int(), raw_sha256: z.string(), content_type: z.string() },
  }),
  sha256: z.string(),
})

export type OpenedManifest = z.output<typeof manifestShape>

/** What was exported, as a manifest says it. */
export const specOf = (manifest: OpenedManifest): ExportSpec => ({
  dataset: manifest.dataset,
  range: { from: manifest.time_from as Instant, to: manifest.time_to as Instant },
  filterEvents: manifest.filter_events,
  filterState: manifest.filter_state,
  exportContent: manifest.export_content,
  format: manifest.format,
  compression: manifest.compression,
})

/** @throws StoreError when it is not what was sealed once */
export function openManifest(key: string, text: string): OpenedManifest {
  const corrupt = (why: string) =>
    new StoreError('ARCHIVE_CORRUPT', `The manifest ${key} is not as it was written: ${why}.`, {
      hint: 'Put it back from a copy or an earlier version of the object.',
    })
  const sealed = /^(.*),"sha256":"([0-9a-f]{64})"\}\n$/s.exec(text)
  if (sealed === null) throw corrupt('it does not end with its own SHA-256')
  const [, content = '', sha256] = sealed
  const found = createHash('sha256').update(`${content}}`).digest('hex')
  if (found !== sha256) throw corrupt(`its content has the SHA-256 ${found}, and names ${sha256}`)
  const result = manifestShape.safeParse(JSON.parse(text))
  if (!result.success) throw corrupt(z.prettifyError(result.error))
  return result.data
}
