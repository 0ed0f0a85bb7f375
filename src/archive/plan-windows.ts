import { windowAt, windowsFrom } from './calendar.ts'
import type { ArchiveSchedule, CalendarWindow, EnteredArchive } from './model.ts'

export interface PlanFacts {
  readonly now: Date
  /** Up to where the ledger has windows without a gap. */
  readonly coveredUntil: Date
}

/** When windows may be read that end at this time, at the earliest. */
export const settledAt = (to: Date, { settleMs }: Pick<ArchiveSchedule, 'settleMs'>): Date =>
  new Date(to.getTime() + settleMs)

/**
 * The windows that are over, have settled, and follow the covered ones, oldest first: what the ledger lacks, besides what it
 * has beyond a gap. They follow from calendar and ledger alone, so that a tick that is late, doubled or
 * missed changes nothing.
 */
export function* dueWindows(
  definition: Pick<ArchiveSchedule, 'calendar' | 'settleMs'>,
  { now, coveredUntil }: PlanFacts,
): Generator<CalendarWindow> {
  for (const window of windowsFrom(definition.calendar, coveredUntil)) {
    if (settledAt(window.to, definition) > now) return
    yield window
  }
}

/**
 * Where the ledger of an archive begins: with the window that is told, else with the last that was over when the archive
 * was entered.
 */
export function firstWindow({ calendar, start, enteredAt }: EnteredArchive): CalendarWindow {
  return windowAt(calendar, start ?? new Date(windowAt(calendar, enteredAt).from.getTime() - 1))
}

const firstRetryMs = 3_600_000
const longestRetryMs = 24 * 3_600_000

/** A window whose export has failed all its attempts: after an hour, two, four, and so on, in the end once a day. */
export const retryAfterMs = (tries: number): number =>
  Math.min(longestRetryMs, firstRetryMs * 2 ** Math.max(0, tries - 1))
