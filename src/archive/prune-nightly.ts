import type { KeepPolicy } from '../runtime/keep-text.ts'
import type { ArchiveDefinition, EnteredArchive } from './model.ts'
import type { ArchiveLedger } from './ports.ts'
import { planPrune, prune, type PruneDeps, type PrunedWindow } from './prune.ts'

export interface NightlyPruneDeps extends PruneDeps {
  readonly ledger: Pick<ArchiveLedger, 'listArchives' | 'get'>
  /** Told of an archive whose policy would delete windows, and that nobody has confirmed. */
  readonly onUnconfirmed: (archive: EnteredArchive, policy: KeepPolicy, windows: number) => void
  /** Told of each window that should have gone, and has not. */
  readonly onProblem: (pruned: PrunedWindow) => void
}

/** Of one archive in one night: what is due to be archived does not wait for days. */
const limit = 1000

/** Counts of windows. */
export interface NightlyPruneReport {
  readonly deleted: number
  /** That should have gone, and have not. */
  readonly undeleted: number
}

/**
 * Deletes what the policies of archives do not keep, as far as an operator has confirmed each, word for word. What is left of
 * windows that were deleted before goes in any case.
 * @throws SourceError, StoreError when the store cannot be reached, the signal's reason
 */
export async function pruneNightly(
  deps: NightlyPruneDeps,
  definitions: readonly ArchiveDefinition[],
  { signal }: { readonly signal: AbortSignal },
): Promise<NightlyPruneReport> {
  const counts = { deleted: 0, undeleted: 0 }
  const entered = await deps.ledger.listArchives()
  for (const { name, keep } of definitions) {
    const archive = entered.find((each) => each.name === name)
    if (archive === undefined) continue
    const plan = await planPrune(deps, archive, keep)
    const doomed = plan.decisions.filter((decision) => !decision.keep).length
    const isConfirmed = archive.confirmedKeep === keep.text
    if (!isConfirmed && doomed > 0) deps.onUnconfirmed(archive, keep, doomed)
    const decisions = isConfirmed ? plan.decisions : []
    const options = { signal, apply: true, limit }
    for (const pruned of await prune(deps, { ...plan, decisions }, options)) {
      if (pruned.problem !== undefined) deps.onProblem(pruned)
      counts[pruned.outcome === 'deleted' ? 'deleted' : 'undeleted']++
    }
  }
  return counts
}
