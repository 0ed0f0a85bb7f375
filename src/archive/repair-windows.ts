import { setTimeout as sleep } from 'node:timers/promises'
import type { Artifact } from '../export/model.ts'
import { untilAborted } from '../runtime/abort.ts'
import type { ArchiveSchedule, LedgerWindow, WindowRequest } from './model.ts'
import type { ArchiveLedger, WindowKey } from './ports.ts'
import { endedWindows, requestWindow, settleWindow, type WindowDeps } from './window-steps.ts'

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

/**
 * Enters the next generation of a window as planned; one that is there already, and not archived, is planned again. Whoever looks
 * at the archive takes it from there. @throws SourceError
 */
export async function planRepair(
  ledger: Pick<ArchiveLedger, 'listWindows' | 'retryFailed' | 'plan'>,
  { window, request }: Repair,
): Promise<WindowKey> {
  const { archive, from, to } = window
  const latest = (await ledger.listWindows(archive, { from, to })).at(-1) ?? window
  if (latest.state !== 'archived') {
    await ledger.retryFailed(archive, { from, to })
    return { archive, from, generation: latest.generation }
  }
  const key = { archive, from, generation: latest.generation + 1 }
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
  {
    signal,
    onWindow,
  }: { readonly signal: AbortSignal; readonly onWindow: (window: RepairedWindow) => void },
): Promise<void> {
  const { ledger, records, settings } = deps
  const waiting = [...repairs]
  const open: WindowKey[] = []
  for (;;) {
    while (open.length < settings.openWindows) {
      const next = waiting.shift()
      if (next === undefined) break
      open.push(await planRepair(ledger, next))
    }
    if (open.length === 0) return
    const windows = (await Promise.all(open.map((key) => ledger.get(key)))).flatMap((w) => w ?? [])
    for (const ended of await endedWindows(deps, windows)) {
      await settleWindow(deps, archive.calendar, ended, signal)
    }
    for (const window of windows) {
      if (window.state === 'planned') await requestWindow(deps, archive, window, signal)
      if (window.state !== 'archived' && window.state !== 'failed') continue
      const index = open.findIndex(({ from }) => from.getTime() === window.from.getTime())
      open.splice(index, 1)
      const [record] = await records.getMany(window.exportId === undefined ? [] : [window.exportId])
      const artifact = window.state === 'archived' ? record?.artifact : undefined
      onWindow({ window, ...(artifact === undefined ? {} : { artifact }) })
    }
    if (open.length > 0) await untilAborted(sleep(pauseMs, undefined, { ref: false }), signal)
  }
}
