import type { KeepPolicy } from '../runtime/keep-text.ts'
import { decideKeep, keptFrom, type KeepDecision } from './keep.ts'
import type { ArchiveDefinition, EnteredArchive } from './model.ts'
import type { ArchiveLedger, RetentionLedger } from './ports.ts'
import {
  listUnremoved,
  prune,
  type PruneDeps,
  type PrunedWindow,
  type PruneOutcome,
  type PrunePlan,
} from './prune.ts'

export interface NightlyPruneDeps extends PruneDeps {
  readonly ledger: Pick<ArchiveLedger, 'listArchives' | 'get'>
  readonly retention: PruneDeps['retention'] &
    Pick<RetentionLedger, 'listArchived' | 'newestArchived'>
  /** Told of an archive whose policy would delete windows, and that nobody has confirmed. */
  readonly onUnconfirmed: (archive: EnteredArchive, policy: KeepPolicy, windows: number) => void
  /** Told of a window that should have gone, and has not; of the first of them only. */
  readonly onProblem: (pruned: PrunedWindow) => void
  /** Told how many more there are of those. */
  readonly onMoreProblems: (archive: EnteredArchive, windows: number) => void
}

/** Windows of one archive that are told of in one look. */
const maxProblems = 20

export interface NightlyPruneOptions {
  readonly signal: AbortSignal
  /** Windows of one archive that go at most in one look: what is due to be archived does not wait for days. Default: 1,000. */
  readonly limit?: number
  /** Windows that are held in memory at a time. Default: 1,000. */
  readonly pageSize?: number
}

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
  options: NightlyPruneOptions,
): Promise<NightlyPruneReport> {
  const sum = { deleted: 0, undeleted: 0 }
  const entered = await deps.ledger.listArchives()
  for (const { name, keep } of definitions) {
    const archive = entered.find((each) => each.name === name)
    if (archive === undefined) continue
    const { deleted, undeleted } = await pruneArchive(deps, archive, keep, options)
    sum.deleted += deleted
    sum.undeleted += undeleted
  }
  return sum
}

async function pruneArchive(
  deps: NightlyPruneDeps,
  archive: EnteredArchive,
  policy: KeepPolicy,
  { signal, limit = 1000, pageSize = 1000 }: NightlyPruneOptions,
): Promise<NightlyPruneReport> {
  const counts = { deleted: 0, undeleted: 0 }
  let room = limit
  async function run(plan: Pick<PrunePlan, 'decisions' | 'unremoved'>, staying: PruneOutcome) {
    for (const pruned of await prune(deps, plan, { signal, apply: true, limit: room })) {
      if (pruned.outcome !== staying) room--
      counts[pruned.outcome === 'deleted' ? 'deleted' : 'undeleted']++
      if (pruned.problem !== undefined && counts.undeleted <= maxProblems) deps.onProblem(pruned)
    }
  }
  await run(
    { unremoved: await listUnremoved(deps.retention, archive.name), decisions: [] },
    'unremoved',
  )
  let unconfirmed = 0
  for await (const decisions of doomedPages(deps, archive, { policy, pageSize })) {
    if (archive.confirmedKeep === policy.text) await run({ unremoved: [], decisions }, 'kept')
    else unconfirmed += decisions.length
    if (room <= 0) break
  }
  if (unconfirmed > 0) deps.onUnconfirmed(archive, policy, unconfirmed)
  if (counts.undeleted > maxProblems) deps.onMoreProblems(archive, counts.undeleted - maxProblems)
  return counts
}

/** What a policy does not keep, oldest first: an archive that is kept for ever is not even listed. */
async function* doomedPages(
  { retention }: NightlyPruneDeps,
  { name, calendar }: EnteredArchive,
  { policy, pageSize }: { readonly policy: KeepPolicy; readonly pageSize: number },
): AsyncGenerator<readonly KeepDecision[]> {
  if (policy.forEver) return
  const newest = await retention.newestArchived(name)
  const until = newest === undefined ? undefined : keptFrom(policy, calendar, newest)
  if (newest === undefined || until === undefined) return
  const holds = await retention.listHolds(name)
  for (let after: Date | undefined; ;) {
    const windows = await retention.listArchived(name, { after, until, limit: pageSize })
    after = windows.at(-1)?.from
    if (after === undefined) return
    const decisions = decideKeep(policy, { calendar, windows, holds, newest })
    yield decisions.filter(({ keep }) => !keep)
  }
}
