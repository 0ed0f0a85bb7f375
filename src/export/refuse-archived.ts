import { AbandonedError, StoreError } from '../errors.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import type { ExportRecord } from './model.ts'

export interface RefuseArchivedDeps {
  /**
   * Whether what an export is of is archived already, perhaps by itself: a control database that was set back does not know.
   * @throws StoreError
   */
  readonly isArchived: (record: ExportRecord) => Promise<boolean>
}

/**
 * Before anything is written or removed: an attempt writes, and removes, keys that a manifest may name.
 * @param ms so long it may take
 * @throws AbandonedError when it is archived, StoreError when the store does not say, the signal's reason
 */
export async function refuseArchived(
  { isArchived }: RefuseArchivedDeps,
  record: ExportRecord,
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
): Promise<void> {
  if (record.archive === undefined) return
  const limit = abortAfter(ms, signal)
  const archived = await untilAborted(isArchived(record), limit).catch((error: unknown) => {
    if (error !== limit.reason || signal.aborted) throw error
    const message = `The object store has not said within ${ms / 1000} s whether export ${record.id} is archived already.`
    throw new StoreError('STORE_UNAVAILABLE', message, { hint: 'Check that it runs.' })
  })
  if (!archived) return
  throw new AbandonedError(
    `Export ${record.id} is archived already: its manifest is there, and nothing is read again.`,
    { hint: 'Leave it: the archive takes over what the manifest names.' },
  )
}
