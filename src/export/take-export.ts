import type { Clock } from '../runtime/clock.ts'
import type { AdmitOptions } from './admit-exports.ts'
import type { ExportRecord } from './model.ts'
import type { ExportRecords } from './ports.ts'
import { isFinished } from './state.ts'

export interface TakeExportDeps {
  readonly records: Pick<ExportRecords, 'claim' | 'get'>
  readonly clock: Clock
  readonly settings: TakeSettings
}

export interface TakeSettings extends AdmitOptions {
  readonly leaseMs: number
}

/** Why an export is not for this job, or not now. */
export type NotNow =
  /** Nothing to do: it had finished before. */
  | { readonly outcome: 'skipped' }
  /** Its key runs as many as it may. It gets another job when it is its turn. */
  | { readonly outcome: 'held-back' }
  /** Another worker has it, until then at least. */
  | { readonly outcome: 'busy'; readonly until: Date }

/** Claims the export for an attempt, or says why not. @throws NotFoundError, SourceError */
export async function takeExport(
  { records, clock, settings }: TakeExportDeps,
  id: string,
): Promise<ExportRecord | NotNow> {
  const { leaseMs, perKey } = settings
  const record = await records.claim(id, { leaseMs, perKey })
  if (record !== undefined) return record
  const { state, heldBack, leaseUntil } = await records.get(id)
  if (isFinished(state)) return { outcome: 'skipped' }
  if (heldBack) return { outcome: 'held-back' }
  // held by another attempt, or just given back by one: this job must not be lost
  const now = clock.now()
  // the lease is by another clock, and no longer than that
  const latest = new Date(now.getTime() + leaseMs)
  return { outcome: 'busy', until: earlier(leaseUntil ?? now, latest) }
}

const earlier = (a: Date, b: Date): Date => (a < b ? a : b)
