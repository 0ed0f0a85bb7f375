import { StateError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ExportRecord } from './model.ts'
import type { ExportRecords } from './ports.ts'

export interface CancelExportDeps {
  readonly records: Pick<ExportRecords, 'cancel' | 'get'>
  readonly clock: Clock
}

/**
 * Cancels an export at once, in its record. The worker that runs it, wherever that is, learns so at
 * its next progress report (about a second) and ends query and upload.
 * @returns the record, and false when it had been canceled before
 * @throws NotFoundError, StateError when it has finished otherwise
 */
export async function cancelExport(
  { records, clock }: CancelExportDeps,
  id: string,
): Promise<{ record: ExportRecord; changed: boolean }> {
  const canceled = await records.cancel(id, clock.now())
  if (canceled !== undefined) return { record: canceled, changed: true }
  const record = await records.get(id)
  if (record.state === 'canceled') return { record, changed: false }
  throw new StateError(
    'EXPORT_FINISHED',
    `Export ${id} is ${record.state}: there is nothing left to cancel.`,
    record.state,
  )
}
