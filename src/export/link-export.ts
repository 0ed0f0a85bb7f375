import { StateError } from '../errors.ts'
import type { ExportRecord } from './model.ts'
import { fileName } from './object-key.ts'
import type { ArtifactStore, Link } from './ports.ts'

export interface LinkExportDeps {
  readonly artifacts: Pick<ArtifactStore, 'link'>
  readonly linkTtlSeconds: number
}

/**
 * Signs a link to the artifact of a completed export; links are never stored.
 * @throws StateError when there is no artifact (yet, or any more), StoreError when signing fails
 */
export async function linkExport(
  { artifacts, linkTtlSeconds }: LinkExportDeps,
  record: ExportRecord,
): Promise<Link> {
  const { id, state, artifact } = record
  if (state === 'queued' || state === 'running') {
    throw new StateError(
      'EXPORT_NOT_READY',
      `Export ${id} is ${state}: it has no artifact yet.`,
      state,
      {
        hint: 'Ask again later; GET /exports/{id} shows its progress.',
      },
    )
  }
  if (state === 'expired') {
    throw new StateError('EXPORT_EXPIRED', `The artifact of export ${id} was deleted.`, state, {
      hint: 'Request the export again.',
    })
  }
  if (state !== 'completed' || artifact === undefined) {
    throw new StateError(
      'EXPORT_GONE',
      `Export ${id} is ${state}: it never had an artifact.`,
      state,
      {
        hint: 'GET /exports/{id} shows why; request the export again once that is mended.',
      },
    )
  }
  return artifacts.link(artifact.key, {
    ttlSeconds: linkTtlSeconds,
    fileName: fileName(record.spec),
    contentType: artifact.contentType,
  })
}
