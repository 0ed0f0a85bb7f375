import { setTimeout as sleep } from 'node:timers/promises'
import { untilAborted } from '../runtime/abort.ts'
import { archiveWindows, type ArchiveReport } from './archive-windows.ts'
import type { ArchiveDefinition } from './model.ts'
import type { WindowDeps } from './window-steps.ts'

/** After a look that changed something, and after one that did not, ms. */
const pausesMs = { busy: 250, idle: 2_000 }

/**
 * Looks at an archive until all windows that are due are archived or have failed: a worker that was away for a
 * month catches up in one go.
 * @returns what was done, as counts of windows
 * @throws as `archiveWindows` does
 */
export async function followArchive(
  deps: WindowDeps,
  definition: ArchiveDefinition,
  { signal }: { readonly signal: AbortSignal },
): Promise<ArchiveReport> {
  const total = { planned: 0, requested: 0, archived: 0, failed: 0 }
  for (;;) {
    const { open, ...counts } = await archiveWindows(deps, definition, { signal })
    for (const name of ['planned', 'requested', 'archived', 'failed'] as const) {
      total[name] += counts[name]
    }
    if (open === 0) return { ...total, open }
    const changed = Object.values(counts).some((count) => count > 0)
    const pauseMs = changed ? pausesMs.busy : pausesMs.idle
    await untilAborted(sleep(pauseMs, undefined, { ref: false }), signal)
  }
}
