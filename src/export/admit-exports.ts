import { inTraceOf } from '../runtime/trace.ts'
import type { ExportRecord } from './model.ts'
import type { ExportQueue, ExportRecords } from './ports.ts'

export interface AdmitDeps {
  readonly records: Pick<ExportRecords, 'admit' | 'keysHeldBack'>
  readonly queue: Pick<ExportQueue, 'enqueue'>
}

export interface AdmitOptions {
  /** Exports of one API key that may run at once, on all workers; undefined: any number. */
  readonly perKey: number | undefined
}

/** Enqueued in one go; the next end of an export, or the next look, goes on behind them. */
const batchSize = 200

/**
 * Enqueues the next exports of a key that were held back, as many as it may now run.
 * @returns their ids
 * @throws SourceError, QueueError: then they are found again as exports without a job
 */
export async function admitNext(
  { records, queue }: AdmitDeps,
  requestedBy: string,
  { perKey }: AdmitOptions,
): Promise<readonly string[]> {
  const admitted = await records.admit(requestedBy, { perKey, limit: batchSize })
  for (const dispatched of admitted) {
    await inTraceOf(dispatched.traceparent, () => queue.enqueue(dispatched))
  }
  return admitted.map(({ id }) => id)
}

/** The same when an export of its key has ended. Never throws: what has no job then is found later. */
export async function admitAfter(
  deps: AdmitDeps & { readonly settings: AdmitOptions },
  { requestedBy }: ExportRecord,
): Promise<void> {
  const { perKey } = deps.settings
  if (requestedBy === undefined || perKey === undefined) return
  await admitNext(deps, requestedBy, { perKey }).catch(() => undefined)
}

/** The same for every key: who should have done it may have died. @throws SourceError, QueueError */
export async function admitAll(
  deps: AdmitDeps,
  options: AdmitOptions & { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const admitted: string[] = []
  for (const requestedBy of await deps.records.keysHeldBack()) {
    options.signal.throwIfAborted()
    admitted.push(...(await admitNext(deps, requestedBy, options)))
  }
  return admitted
}
