import type { ExportRequest } from '../export/spec.ts'
import type { ErrorFacts } from '../errors.ts'
import type { KeepPolicy } from '../runtime/keep-text.ts'

export const windowUnits = ['hour', 'day', 'month'] as const
/** How long a window is. */
export type WindowUnit = (typeof windowUnits)[number]

export interface Calendar {
  readonly unit: WindowUnit
  /** By its name in the IANA time zone database, `Europe/Berlin`. */
  readonly timeZone: string
}

/** A range of the calendar that is archived as one: `[from, to)`. */
export interface CalendarWindow {
  /** What people call it by: `2026-03-29`, `2026-03`, and of an hour its start in UTC, `20260329T010000Z`. */
  readonly name: string
  /** The local date on which it begins, `2026-03-29`. */
  readonly date: string
  readonly from: Date
  readonly to: Date
}

/** What is exported of each window. */
export type WindowRequest = Omit<ExportRequest, 'time_from' | 'time_to'>

/** What tells which windows there should be. */
export interface ArchiveSchedule {
  /** Letters, digits, `-` and `_`: part of keys. */
  readonly name: string
  readonly calendar: Calendar
  /** The first window is the one in which it falls. Undefined: the one before that in which the archive was entered. */
  readonly start: Date | undefined
  /** A window that is over rests for so long before it is read, ms: events may be dated back. */
  readonly settleMs: number
}

/** What is archived, window by window, and how. */
export interface ArchiveDefinition extends ArchiveSchedule {
  readonly request: WindowRequest
  /** How long; what it does not name may be deleted. */
  readonly keep: KeepPolicy
}

/** An archive as the ledger has it. */
export interface EnteredArchive extends ArchiveSchedule {
  /** When it was seen first. */
  readonly enteredAt: Date
  /** The text of the policy by which an operator has let windows be deleted. */
  readonly confirmedKeep?: string
}

/**
 * `planned`: nobody exports it yet. `running`: its export was requested. `archived`: its manifest is there.
 * `failed`: its export failed, or was canceled; it is planned again later. `deleted`: it was archived, and then deleted by
 * policy, all its generations; it is never planned again.
 */
export const windowStates = ['planned', 'running', 'archived', 'failed', 'deleted'] as const
export type WindowState = (typeof windowStates)[number]

/** Besides those of the ledger: `settling`: over, but not to be read yet. `missing`: nobody has planned it. */
export const coverageStates = [...windowStates, 'settling', 'missing'] as const
export type CoverageState = (typeof coverageStates)[number]

/** A generation of a window, in the ledger. */
export interface LedgerWindow extends CalendarWindow {
  readonly archive: string
  /** 1, and one more for each time that it was archived anew. */
  readonly generation: number
  /** As it was when the window was planned: a definition that changes is that of later windows. */
  readonly request: WindowRequest
  readonly state: WindowState
  /** How many exports it has led to. */
  readonly tries: number
  /** The latest of those. */
  readonly exportId?: string
  /** Why that one failed. */
  readonly error?: ErrorFacts
  /** When it is planned again. */
  readonly retryAt?: Date
  readonly archivedAt?: Date
  readonly deletedAt?: Date
  /** Why: what the policy said. */
  readonly deletedReason?: string
  /** When nothing of it was left in the bucket. */
  readonly removedAt?: Date
}

/** A range of an archive of which nothing is deleted, also of what is archived later. */
export interface NewHold {
  readonly archive: string
  readonly from: Date
  /** Undefined: without an end. */
  readonly to: Date | undefined
  readonly reason: string
  readonly placedAt: Date
}

export interface ArchiveHold extends NewHold {
  readonly id: number
}

/** A hold, in the dates of its archive. */
export interface KnownHold {
  readonly hold: ArchiveHold
  /** Its first and its last local date; without a last one it has no end. */
  readonly dates: { readonly from: string; readonly to?: string }
}

/** A window that somebody has to look after. `missing`: nobody has planned it. */
export interface AlarmedWindow extends CalendarWindow {
  readonly state: WindowState | 'missing'
  /** What the ledger has of it; undefined where it is missing. */
  readonly entry?: LedgerWindow
}

/** Windows, of which only the oldest are listed. */
export interface AlarmedWindows {
  readonly count: number
  /** Oldest first. */
  readonly windows: readonly AlarmedWindow[]
}

/** What is wrong with an archive; nothing where both counts are 0. A window may be failed and overdue. */
export interface ArchiveAlarm {
  readonly archive: EnteredArchive
  /** Whose latest export failed all its attempts, and that no export has archived since. */
  readonly failed: AlarmedWindows
  /** That had settled when workers looked what is due, a day ago or more, and are not archived. */
  readonly overdue: AlarmedWindows
  /** When the oldest of those could have been read. */
  readonly overdueSince?: Date
}
