import type { ExportRequest } from '../export/spec.ts'
import type { ErrorFacts } from '../errors.ts'
import type { Calendar, CalendarWindow } from './calendar.ts'

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
}

/** An archive as the ledger has it. */
export interface EnteredArchive extends ArchiveSchedule {
  /** When it was seen first. */
  readonly enteredAt: Date
}

/**
 * `planned`: nobody exports it yet. `running`: its export was requested. `archived`: its manifest is there.
 * `failed`: its export failed, or was canceled; it is planned again later.
 */
export const windowStates = ['planned', 'running', 'archived', 'failed'] as const
export type WindowState = (typeof windowStates)[number]

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
  /** That have been over for settling time and a day, and are not archived. */
  readonly overdue: AlarmedWindows
  /** When the oldest of those could have been read. */
  readonly overdueSince?: Date
}
