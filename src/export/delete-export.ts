import { StateError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ArtifactStore, ExportRecords } from './ports.ts'

export interface DeleteExportDeps {
  readonly records: Pick<ExportRecords, 'expire' | 'get'>
  readonly artifacts: Pick<ArtifactStore, 'remove'>
  readonly clock: Clock
}

/**
 * Deletes the artifact of a finished export; the record stays. Doing it twice is harmless.
 * @throws NotFoundError, StateError while the export is queued or running, or when it is archived, StoreError
 */
export async function deleteExport(
  { records, artifacts, clock }: DeleteExportDeps,
  id: string,
): Promise<void> {
  const { archive, state } = await records.get(id)
  if (archive !== undefined) {
    throw new StateError(
      'EXPORT_ARCHIVED',
      `Export ${id} is of the archive ${archive.name}.`,
      state,
      {
        hint: 'Nobody deletes what is archived but the retention of its archive.',
      },
    )
  }
  // the record first: nobody is handed a link to an object that is about to go
  const expired = await records.expire(id, clock.now())
  const record = expired ?? (await records.get(id))
  if (record.state === 'queued' || record.state === 'running') {
    throw new StateError('EXPORT_NOT_READY', `Export ${id} is ${record.state}.`, record.state, {
      hint: 'Cancel it first, or wait until it has finished.',
    })
  }
  if (record.artifact !== undefined) await artifacts.remove(record.artifact.key)
}
