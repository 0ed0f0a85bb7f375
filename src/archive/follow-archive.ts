import { setTimeout as sleep } from 'node:timers/promises'
import { untilAborted } from '../runtime/abort.ts'
import { archiveWindows, type ArchiveReport } from './archive-windows.ts'
import type { ArchiveDefinition } from './model.ts'
import type { WindowDeps } from './window-steps.ts'

/** After looks that changed something, and after some that did not, ms. */
const pausesMs = { busy: 250, idle: 2_000 }

/**
 * Looks at archives, at all of them in turn, until all windows that are due are archived or have failed: a worker that was away for a
 * month catches up in one go. One archive that fails leaves the others to go on.
 * @returns what was done, as counts of windows
 * @throws as `archiveWindows` does, once nothing is open of the others
 */
export async function followArchives(
  deps: WindowDeps,
  definitions: readonly ArchiveDefinition[],
  { signal }: { readonly signal: AbortSignal },
): Promise<ArchiveReport> {
  const total = { planned: 0, requested: 0, archived: 0, failed: 0 }
  const following = new Set(definitions)
  let failure: { readonly error: unknown } | undefined
  for (;;) {
    let open = 0
    let changed = false
    for (const definition of following) {
      try {
        const { open: left, ...counts } = await archiveWindows(deps, definition, { signal })
        open += left
        changed ||= Object.values(counts).some((count) => count > 0)
        for (const name of ['planned', 'requested', 'archived', 'failed'] as const) {
          total[name] += counts[name]
        }
      } catch (error) {
        signal.throwIfAborted()
        failure ??= { error }
        following.delete(definition)
      }
    }
    if (open === 0) {
      if (failure !== undefined) throw failure.error
      return { ...total, open }
    }
    const pauseMs = changed ? pausesMs.busy : pausesMs.idle
    await untilAborted(sleep(pauseMs, undefined, { ref: false }), signal)
  }
}
