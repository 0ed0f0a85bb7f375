/** Retention: what the policy of an archive does not name is deleted, window by window, once somebody has let it. */
import { errorFacts, StoreError } from '../errors.ts'
import type { KeepPolicy } from '../runtime/keep-text.ts'
import { decideKeep, type KeepDecision } from './keep.ts'
import type { EnteredArchive, LedgerWindow } from './model.ts'
import type { ArchiveLedger, RetentionLedger } from './ports.ts'
import { checkRemovable, removeWindow, type RemovalDeps, type WindowSize } from './remove-window.ts'

export interface PruneDeps extends RemovalDeps {
  readonly ledger: Pick<ArchiveLedger, 'get'>
  readonly retention: Pick<
    RetentionLedger,
    'listKept' | 'listHolds' | 'listUnremoved' | 'markDeleted' | 'markRemoved'
  >
}

/** What is to become of an archive. */
export interface PrunePlan {
  readonly archive: EnteredArchive
  readonly policy: KeepPolicy
  /** Of each archived window, oldest first. */
  readonly decisions: readonly KeepDecision[]
  /** Windows that were deleted before, and of which something may be left: all generations of each. */
  readonly unremoved: readonly (readonly LedgerWindow[])[]
}

/** Looks at all that is archived. @throws SourceError */
export async function planPrune(
  { retention }: Pick<PruneDeps, 'retention'>,
  archive: EnteredArchive,
  policy: KeepPolicy,
): Promise<PrunePlan> {
  const { name, calendar } = archive
  const [windows, holds, unremoved] = await Promise.all([
    retention.listKept(name),
    retention.listHolds(name),
    listUnremoved(retention, name),
  ])
  return { archive, policy, decisions: decideKeep(policy, { calendar, windows, holds }), unremoved }
}

/** Windows that were deleted before, and of which something may be left: all generations of each. @throws SourceError */
export async function listUnremoved(
  retention: Pick<RetentionLedger, 'listUnremoved'>,
  archive: string,
): Promise<PrunePlan['unremoved']> {
  const unremoved = new Map<number, LedgerWindow[]>()
  for (const each of await retention.listUnremoved(archive)) {
    const start = each.from.getTime()
    unremoved.set(start, [...(unremoved.get(start) ?? []), each])
  }
  return [...unremoved.values()]
}

/**
 * `deletable`: nothing stands in the way, and nothing was done. `deleted`: nothing of it is left. `kept`: a problem stands in the way.
 * `unremoved`: it is deleted in the ledger, and the store has not removed all of it; the next time goes on.
 */
export type PruneOutcome = 'deletable' | 'deleted' | 'kept' | 'unremoved'

export interface PrunedWindow extends Partial<WindowSize> {
  readonly window: LedgerWindow
  /** Why it is to go. */
  readonly reason: string
  readonly outcome: PruneOutcome
  /** Why it is not gone, where it should be. */
  readonly problem?: string
}

export interface PruneOptions {
  readonly signal: AbortSignal
  /** False: it is only looked what would be done. */
  readonly apply: boolean
  /** Windows that go at most, and not those that must stay; the next time goes on. Default: all. */
  readonly limit?: number
  /** Told of each window as soon as it is known. */
  readonly onWindow?: (pruned: PrunedWindow) => void
}

/** Windows that are looked at together. */
const batchSize = 8

/**
 * Deletes what a plan does not keep, oldest first, and removes what is left of windows that were deleted before. Safe to run twice, and
 * by many at the same time; a problem with one window leaves the others to go.
 * @returns what became of them, windows that are kept by the plan left out
 * @throws SourceError, StoreError when the store cannot be reached, the signal's reason
 */
export async function prune(
  deps: PruneDeps,
  { decisions, unremoved }: Pick<PrunePlan, 'decisions' | 'unremoved'>,
  { signal, apply, limit = Infinity, onWindow }: PruneOptions,
): Promise<readonly PrunedWindow[]> {
  const left = unremoved.map((generations) => () => finish(deps, generations, { signal, apply }))
  const doomed = decisions
    .filter(({ keep }) => !keep)
    .map((decision) => () => deleteWindow(deps, decision, { signal, apply }))
  const pruned: PrunedWindow[] = []
  let room = limit
  async function run(tasks: readonly (() => Promise<PrunedWindow>)[], staying: PruneOutcome) {
    for (let at = 0; at < tasks.length && room > 0;) {
      signal.throwIfAborted()
      const next = tasks.slice(at, at + Math.min(batchSize, room))
      at += next.length
      // all of them come to their end before the first error is told
      const batch = await Promise.allSettled(next.map((each) => each()))
      for (const result of batch) {
        if (result.status === 'rejected') continue
        if (result.value.outcome !== staying) room--
        pruned.push(result.value)
        onWindow?.(result.value)
      }
      const failed = batch.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    }
  }
  await run(left, 'unremoved')
  await run(doomed, 'kept')
  return pruned
}

type StepOptions = Pick<PruneOptions, 'signal' | 'apply'>

async function deleteWindow(
  deps: PruneDeps,
  { window, generations, reasons }: KeepDecision,
  { signal, apply }: StepOptions,
): Promise<PrunedWindow> {
  const { ledger, retention, clock } = deps
  const reason = reasons.join('; ')
  const archived = generations.filter(({ state }) => state === 'archived')
  const found = await withProblem(() => checkRemovable(deps, archived, { signal }))
  const latest = generations.at(-1) ?? window
  // by another prune, which removes it, and so it may have been half there
  const isGoing = async () => (await ledger.get(latest))?.state === 'deleted'
  if ('problem' in found) {
    return (await isGoing())
      ? { window, reason, outcome: apply ? 'deleted' : 'deletable' }
      : { window, reason, outcome: 'kept', problem: found.problem }
  }
  if (!apply) return { window, reason, outcome: 'deletable', ...found }
  if (!(await retention.markDeleted(latest, { at: clock.now(), reason }))) {
    if (await isGoing()) return { window, reason, outcome: 'deleted', ...found }
    const problem = 'since it was looked at, it is held, or archived anew'
    return { window, reason, outcome: 'kept', problem }
  }
  return { ...(await remove(deps, generations, signal)), window, reason, ...found }
}

async function finish(
  deps: PruneDeps,
  generations: readonly LedgerWindow[],
  { signal, apply }: StepOptions,
): Promise<PrunedWindow> {
  // of what was in one group there is a first
  const [window] = generations as readonly [LedgerWindow]
  const at = window.deletedAt?.toISOString() ?? ''
  const reason = `deleted at ${at}, and perhaps not all removed: ${window.deletedReason ?? ''}`
  if (!apply) return { window, reason, outcome: 'deletable' }
  return { ...(await remove(deps, generations, signal)), window, reason }
}

async function remove(
  deps: PruneDeps,
  generations: readonly LedgerWindow[],
  signal: AbortSignal,
): Promise<Pick<PrunedWindow, 'outcome' | 'problem'>> {
  const removed = await withProblem(() => removeWindow(deps, generations, { signal }))
  return removed === undefined
    ? { outcome: 'deleted' }
    : { outcome: 'unremoved', problem: removed.problem }
}

/** A store that refuses one window may take the next; one that is away takes none. @throws any other error */
async function withProblem<T>(work: () => Promise<T>): Promise<T | { readonly problem: string }> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof StoreError) || error.retryable) throw error
    return { problem: errorFacts(error).message }
  }
}
