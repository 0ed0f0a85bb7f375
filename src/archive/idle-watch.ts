import type { Clock } from '../runtime/clock.ts'
import type { LedgerWindow } from './model.ts'
import type { WindowExport } from './window-steps.ts'

/** What nothing gets on without: a worker that takes up an export, or a standby that replays what its primary has committed. */
export type WaitsFor = 'worker' | 'replay'

/** Before anybody is told, ms. */
const patienceMs = 10_000

/**
 * Notices when open windows wait, and nothing is being done for any of them.
 * @param onIdle told once, and again only after something was done
 * @returns takes what each look at the windows has found
 */
export function createIdleWatch(
  clock: Clock,
  onIdle: ((waitsFor: WaitsFor) => void) | undefined,
): (windows: readonly LedgerWindow[], exports: readonly WindowExport[]) => void {
  let waits: { readonly for: WaitsFor; readonly sinceMs: number; told: boolean } | undefined
  return (windows, exports) => {
    const waitsFor = whatFor(windows, exports)
    if (waitsFor === undefined) {
      waits = undefined
      return
    }
    const nowMs = clock.now().getTime()
    if (waits?.for !== waitsFor) waits = { for: waitsFor, sinceMs: nowMs, told: false }
    if (waits.told || nowMs - waits.sinceMs < patienceMs) return
    waits.told = true
    onIdle?.(waitsFor)
  }
}

function whatFor(
  windows: readonly LedgerWindow[],
  exports: readonly WindowExport[],
): WaitsFor | undefined {
  if (exports.length > 0) {
    return exports.every(({ record }) => record.state === 'queued') ? 'worker' : undefined
  }
  return windows.some(({ state }) => state === 'planned') ? 'replay' : undefined
}
