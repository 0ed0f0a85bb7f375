import type { Clock } from '../runtime/clock.ts'
import { inTraceOf } from '../runtime/trace.ts'
import type { ExportQueue, ExportRecords, UnattendedCursor } from './ports.ts'

export interface ReconcileDeps {
  readonly records: Pick<ExportRecords, 'listUnattended' | 'redispatch'>
  readonly queue: ExportQueue
  readonly clock: Clock
}

/** A record younger than that may well be on its way to the queue, ms. */
const graceMs = 5_000

/** Looked at in one run; the next one goes on behind them. */
const batchSize = 200

export interface Reconciled {
  readonly looked: number
  /** Exports that had no job that will run, and were given one. */
  readonly dispatched: readonly string[]
  /** Where the next run goes on; undefined: from the beginning. */
  readonly next: UnattendedCursor | undefined
}

/**
 * Gives exports that no worker runs a job when they have none: their server died between record and
 * job, the queue was away, or it was emptied; or their worker died, and its lease has ended. The record is the truth; the queue only dispatches.
 * Safe to run twice, and on many workers at once: one guarded update wins.
 * @throws SourceError, QueueError: what was dispatched before stays so
 */
export async function reconcileExports(
  { records, queue, clock }: ReconcileDeps,
  after: UnattendedCursor | undefined,
  { signal }: { readonly signal: AbortSignal },
): Promise<Reconciled> {
  const before = new Date(clock.now().getTime() - graceMs)
  const found = await records.listUnattended({ before, limit: batchSize, after })
  const dispatched: string[] = []
  for (const { id, dispatch, state } of found) {
    signal.throwIfAborted()
    const job = await queue.look(id, dispatch)
    // the worker of an export whose lease has ended is dead or too late: the queue, which notices the
    // first some time later and the second never, is not waited for
    if (job === 'waiting' || (job === 'taken' && state === 'queued')) continue
    // a new number: a job id that was used once may be refused in silence
    const record = await records.redispatch(id, dispatch)
    if (record === undefined) continue
    await inTraceOf(record.traceparent, () => queue.enqueue(record))
    dispatched.push(id)
  }
  const last = found.length < batchSize ? undefined : found.at(-1)
  const next = last === undefined ? undefined : { createdAt: last.createdAt, id: last.id }
  return { looked: found.length, dispatched, next }
}
