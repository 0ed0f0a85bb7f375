import { setTimeout as sleep } from 'node:timers/promises'
import type { Artifact } from '../export/model.ts'
import { untilAborted } from '../runtime/abort.ts'
import { createIdleWatch, type WaitsFor } from './idle-watch.ts'
import type { ArchiveSchedule, LedgerWindow, WindowRequest } from './model.ts'
import type { ArchiveLedger, WindowKey } from './ports.ts'
import {
  exportsOf,
  hasEnded,
  requestWindow,
  settleWindow,
  type WindowDeps,
} from './window-steps.ts'

/** Between two looks, ms. */
const pauseMs = 100

/** An archived window that is to be archived anew. */
export interface Repair {
  readonly window: LedgerWindow
  readonly request: WindowRequest
}

/** A generation that was to take the place of the one before, and what became of it. */
export interface RepairedWindow {
  /** Archived, or failed with its error. */
  readonly window: LedgerWindow
  /** Of the new generation; absent where it failed, and where it was there already. */
  readonly artifact?: Artifact
}

export interface RepairOptions {
  readonly signal: AbortSignal
  /** Told of each as soon as it is over. */
  readonly onWindow: (window: RepairedWindow) => void
  /** Told when nothing is done for any of them. */
  readonly onIdle?: ((waitsFor: WaitsFor) => void) | undefined
}

/**
 * Enters the next generation of a window as planned; one that is there already, and failed, is planned again. Whoever looks
 * at the archive takes it from there. Undefined: the window was deleted meanwhile.
 * @throws SourceError
 */
export async function planRepair(
  ledger: Pick<ArchiveLedger, 'listWindows' | 'retry' | 'plan'>,
  { window, request }: Repair,
): Promise<WindowKey | undefined> {
  const { archive, from, to } = window
  const latest = (await ledger.listWindows(archive, { from, to })).at(-1) ?? window
  if (latest.state === 'deleted') return undefined
  const { generation } = latest
  if (latest.state !== 'archived') {
    await ledger.retry({ archive, from, generation })
    return { archive, from, generation }
  }
  const key = { archive, from, generation: generation + 1 }
  await ledger.plan(key, window, request)
  return key
}

/**
 * Archives windows of one archive anew, by the workers that there are, and tells of each as soon as it is over. Ended at any point, it
 * goes on from there the next time.
 * @throws SourceError, QueueError, StoreError, the signal's reason
 */
export async function repairWindows(
  deps: WindowDeps,
  archive: Pick<ArchiveSchedule, 'calendar' | 'settleMs'>,
  repairs: readonly Repair[],
  { signal, onWindow, onIdle }: RepairOptions,
): Promise<void> {
  const { ledger, records, clock, settings } = deps
  const lookIdle = createIdleWatch(clock, onIdle)
  const waiting = [...repairs]
  const open: WindowKey[] = []
  const close = ({ from }: Pick<WindowKey, 'from'>) =>
    open.splice(
      open.findIndex((key) => key.from.getTime() === from.getTime()),
      1,
    )
  for (;;) {
    while (open.length < settings.openWindows) {
      const next = waiting.shift()
      if (next === undefined) break
      const key = await planRepair(ledger, next)
      if (key !== undefined) open.push(key)
    }
    if (open.length === 0) return
    const found = await Promise.all(open.map((key) => ledger.get(key)))
    const windows = found.flatMap((window) => window ?? [])
    // deleted between the look at it and its plan
    for (const key of open.filter((_key, index) => found[index] === undefined)) close(key)
    const exports = await exportsOf(deps, windows)
    lookIdle(windows, exports)
    for (const ended of exports.filter(hasEnded)) {
      await settleWindow(deps, archive.calendar, ended, signal)
    }
    for (const window of windows) {
      if (window.state === 'planned') await requestWindow(deps, archive, window, signal)
      if (window.state === 'planned' || window.state === 'running') continue
      close(window)
      if (window.state === 'deleted') continue
      const [record] = await records.getMany(window.exportId === undefined ? [] : [window.exportId])
      const artifact = window.state === 'archived' ? record?.artifact : undefined
      onWindow({ window, ...(artifact === undefined ? {} : { artifact }) })
    }
    if (open.length > 0) await untilAborted(sleep(pauseMs, undefined, { ref: false }), signal)
  }
}
