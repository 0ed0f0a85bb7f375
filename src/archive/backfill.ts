import { setTimeout as sleep } from 'node:timers/promises'
import { SpecError } from '../errors.ts'
import type { Artifact } from '../export/model.ts'
import { manifestsFolder } from '../export/object-key.ts'
import { untilAborted } from '../runtime/abort.ts'
import { got } from '../runtime/describe-issues.ts'
import { endOfDate, startOfDate, windowAt, windowsFrom } from './calendar.ts'
import { checkDates, currentGenerations } from './coverage.ts'
import { createIdleWatch, type WaitsFor } from './idle-watch.ts'
import type { ArchiveDefinition, CalendarWindow, LedgerWindow } from './model.ts'
import { settledAt } from './plan-windows.ts'
import type { ManifestStore } from './ports.ts'
import {
  exportsOf,
  hasEnded,
  requestWindow,
  settleWindow,
  type WindowDeps,
} from './window-steps.ts'

/** Between two looks, ms: twice as long after each that found nothing to do, as looks take what exports could use. */
const pausesMs = { shortest: 50, longest: 400 } as const

/** From so many windows on, one listing of all manifests costs less than to ask for that of each. */
const manyWindows = 50

export interface BackfillDates {
  /** The first local date of it. */
  readonly from: string
  /** The last one; absent: the last that has settled. */
  readonly to?: string | undefined
}

/** Which windows of an archive are to be filled. */
export interface BackfillPlan {
  readonly definition: ArchiveDefinition
  /** Oldest first; none where none begins on those dates. */
  readonly windows: readonly CalendarWindow[]
  readonly from: Date
  readonly to: Date
}

export interface BackfillOptions {
  readonly signal: AbortSignal
  /** Told of each archive before its first window, and how many windows of it are in the range. */
  readonly onBegin?: (archive: string, total: number) => void
  /** Told when nothing is done for any window that is open. */
  readonly onIdle?: (waitsFor: WaitsFor) => void
  /** Told of each window of the range once: as soon as it is archived or has failed, at once where it was archived, or deleted, before. */
  readonly onWindow?: (window: BackfilledWindow, progress: BackfillProgress) => void
}

export interface BackfilledWindow {
  readonly window: LedgerWindow
  /** `present`: archived before. `deleted`: and deleted since, by policy; it is not archived again. */
  readonly outcome: 'archived' | 'failed' | 'present' | 'deleted'
  /** Of the export that was archived now. */
  readonly artifact?: Artifact
}

/** Counts of windows. */
export interface BackfillProgress {
  readonly total: number
  readonly archived: number
  readonly failed: number
  readonly present: number
  readonly deleted: number
}

/**
 * Archives the windows of a plan, whether they are before the first window of the nightly archive or not, oldest first, and those again that had failed. Workers export them; this only plans and follows. Ended at any point, it goes on from there
 * the next time; many may run at the same time, and beside the nightly archive.
 * @throws StateError when the archive is kept by another calendar, SourceError, QueueError, StoreError, the signal's reason
 */
export async function backfill(
  deps: WindowDeps,
  { definition, windows, ...range }: BackfillPlan,
  { signal, onBegin, onIdle, onWindow }: BackfillOptions,
): Promise<BackfillProgress> {
  const { ledger, records, clock, settings } = deps
  const { name, calendar, request } = definition
  // whoever calls may have another configuration than the workers, whose one counts
  await ledger.enter(definition, clock.now())
  await ledger.retryFailed(name, range)

  const progress = { total: windows.length, archived: 0, failed: 0, present: 0, deleted: 0 }
  const lookIdle = createIdleWatch(clock, onIdle)
  const told = new Set<number>()
  async function tell(done: readonly LedgerWindow[], archived: 'archived' | 'present') {
    const ids = archived === 'archived' ? done.flatMap(({ exportId }) => exportId ?? []) : []
    const found = await records.getMany(ids)
    const artifacts = new Map(found.map(({ id, artifact }) => [id, artifact]))
    for (const window of done) {
      told.add(window.from.getTime())
      const { state } = window
      const outcome = state === 'failed' || state === 'deleted' ? state : archived
      progress[outcome]++
      const artifact = artifacts.get(window.exportId ?? '')
      onWindow?.(
        { window, outcome, ...(artifact === undefined ? {} : { artifact }) },
        { ...progress },
      )
    }
  }
  /** From the first on that nobody was told of: of a long range the ledger has a few behind it. */
  async function read() {
    const next = windows.find(({ from }) => !told.has(from.getTime()))
    const entries = await ledger.listWindows(name, { ...range, from: next?.from ?? range.to })
    const untold = [...currentGenerations(entries)].filter(([start]) => !told.has(start))
    return new Map(untold)
  }
  /** So many more windows; those that somebody else has planned meanwhile are read with the next look. */
  async function plan(count: number, known: ReadonlyMap<number, LedgerWindow>) {
    const isOpen = ({ from }: CalendarWindow) =>
      !told.has(from.getTime()) && !known.has(from.getTime())
    const next = windows.filter(isOpen).slice(0, Math.max(0, count))
    const planned = await Promise.all(
      next.map(async (window): Promise<readonly LedgerWindow[]> => {
        const key = { archive: name, from: window.from, generation: 1 }
        const isOurs = await ledger.plan(key, window, request)
        return isOurs ? [{ ...window, ...key, request, state: 'planned', tries: 0 }] : []
      }),
    )
    return planned.flat()
  }

  onBegin?.(name, windows.length)
  const requestDeps =
    windows.length < manyWindows
      ? deps
      : { ...deps, manifests: await listManifests(deps, name, signal) }
  await tell(doneOf([...(await read()).values()]), 'present')
  let pauseMs: number = pausesMs.shortest
  while (told.size < windows.length) {
    const known = await read()
    const entries = [...known.values()]
    await tell(doneOf(entries), 'archived')
    const exports = await exportsOf(deps, entries)
    lookIdle(entries, exports)
    const ended = exports.filter(hasEnded)
    const running = entries.filter(({ state }) => state === 'running').length - ended.length
    const room = Math.max(0, settings.openWindows - running)
    // those that had failed are planned all at once
    const planned = entries.filter(({ state }) => state === 'planned').slice(0, room)
    const added = await plan(room - planned.length, known)
    const outcomes = await Promise.all([
      ...ended.map((each) => settleWindow(deps, calendar, each, signal)),
      ...[...planned, ...added].map((window) =>
        requestWindow(requestDeps, definition, window, signal),
      ),
    ])
    if (told.size < windows.length) {
      const isBusy = outcomes.some((outcome) => outcome !== undefined)
      pauseMs = isBusy ? pausesMs.shortest : Math.min(2 * pauseMs, pausesMs.longest)
      await untilAborted(sleep(pauseMs, undefined, { ref: false }), signal)
    }
  }
  return progress
}

/**
 * Asks only for manifests that are there by now. What is archived meanwhile the ledger knows; and of what it does not, the worker looks again
 * before it writes anything.
 */
async function listManifests(
  { artifacts, manifests, settings: { keyPrefix } }: WindowDeps,
  archive: string,
  signal: AbortSignal,
): Promise<ManifestStore> {
  const keys = new Set<string>()
  const folder = manifestsFolder(keyPrefix, archive)
  for await (const { key } of artifacts.list(folder, { signal, only: 'objects' })) keys.add(key)
  return { ...manifests, get: async (key) => (keys.has(key) ? manifests.get(key) : undefined) }
}

const doneOf = (entries: readonly LedgerWindow[]) =>
  entries.filter(({ state }) => state !== 'planned' && state !== 'running')

/**
 * The windows that begin on the dates of a range.
 * @throws SpecError when a date is none, or one of the windows has not settled
 */
export function planBackfill(
  definition: ArchiveDefinition,
  dates: BackfillDates,
  now: Date,
): BackfillPlan {
  checkDates(dates)
  const { calendar } = definition
  const from = startOfDate(dates.from, calendar.timeZone) ?? now
  const to = dates.to === undefined ? now : (endOfDate(dates.to, calendar.timeZone) ?? now)
  const windows: CalendarWindow[] = []
  for (const window of windowsFrom(calendar, from)) {
    if (window.from >= to) break
    if (settledAt(window.to, definition) > now) {
      if (dates.to === undefined) break
      throw notSettled(definition, window, dates.to, now)
    }
    if (window.from >= from) windows.push(window)
  }
  return { definition, windows, from: windows[0]?.from ?? from, to: windows.at(-1)?.to ?? from }
}

/** No archive has a window to be filled. */
export const nothingToFill = (
  plans: readonly BackfillPlan[],
  { from, to }: BackfillDates,
): SpecError =>
  new SpecError(
    'SPEC_INVALID',
    `from, to: expected dates on which a window begins that has settled, got ${from} to ${to ?? 'now'} for ` +
      `${plans.map(({ definition: { name, calendar } }) => `${name}, by the ${calendar.unit}`).join('; ')}.`,
  )

function notSettled(
  definition: ArchiveDefinition,
  { name, to }: CalendarWindow,
  date: string,
  now: Date,
): SpecError {
  const latest = windowAt(definition.calendar, new Date(now.getTime() - definition.settleMs))
  return new SpecError(
    'SPEC_INVALID',
    `to: expected a date before ${latest.date}, got ${got(date)}: ${name} of ${definition.name} has not settled before ${settledAt(to, definition).toISOString()}.`,
  )
}
