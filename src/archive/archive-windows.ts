/**
 * One look at an archive: what has come of the windows that were exported, and which ones follow. The page to read first.
 */
import type { ArchiveDefinition, LedgerWindow } from './model.ts'
import { dueWindows, firstWindow } from './plan-windows.ts'
import {
  exportsOf,
  hasEnded,
  requestWindow,
  settleWindow,
  type WindowDeps,
} from './window-steps.ts'

/** What one look did, as counts of windows. */
export interface ArchiveReport {
  readonly planned: number
  readonly requested: number
  readonly archived: number
  readonly failed: number
  /** That are planned or running now. */
  readonly open: number
}

/**
 * Looks once. Safe to run at any time, twice, and by many at the same time: all that it does follows from calendar,
 * ledger and records, and each step is one guarded update or a request with a name of its own.
 * @throws StateError when the archive is kept by another calendar, SourceError, QueueError, StoreError, the signal's reason
 */
export async function archiveWindows(
  deps: WindowDeps,
  definition: ArchiveDefinition,
  { signal }: { readonly signal: AbortSignal },
): Promise<ArchiveReport> {
  const { ledger, clock, settings } = deps
  const { name, calendar } = definition
  const counts = { planned: 0, requested: 0, archived: 0, failed: 0 }

  const entered = await ledger.open(definition, clock.now())
  await ledger.retryFailed(name, { dueBy: clock.now() })

  let failure: { readonly error: unknown } | undefined
  /** One that cannot be dealt with now does not hold up the others. */
  async function count(step: () => Promise<'requested' | 'archived' | 'failed' | undefined>) {
    signal.throwIfAborted()
    try {
      const outcome = await step()
      if (outcome !== undefined) counts[outcome]++
    } catch (error) {
      signal.throwIfAborted()
      failure ??= { error }
    }
  }

  const exports = await exportsOf(deps, await ledger.listOpen(name))
  for (const ended of exports.filter(hasEnded)) {
    await count(() => settleWindow(deps, calendar, ended, signal))
  }

  const first = firstWindow(entered)
  // a backfill of earlier ones may take days, and so may repairs: they hold nothing up
  const isOurs = ({ from, generation }: LedgerWindow) => from >= first.from && generation === 1
  const ours = (await ledger.listOpen(name)).filter(isOurs)
  let room = settings.openWindows - ours.length
  if (room > 0) {
    const coveredUntil = await ledger.coveredUntil(name, first.from)
    for (const window of dueWindows(definition, { now: clock.now(), coveredUntil })) {
      if (room <= 0) break
      // beyond a gap there may be some already
      const key = { archive: name, from: window.from, generation: 1 }
      if (!(await ledger.plan(key, window, definition.request))) continue
      counts.planned++
      room--
    }
  }

  const open = await ledger.listOpen(name)
  for (const window of open) {
    if (window.state !== 'planned') continue
    await count(() => requestWindow(deps, definition, window, signal))
  }
  if (failure !== undefined) throw failure.error
  return { ...counts, open: open.length }
}
