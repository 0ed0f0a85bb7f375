import type { ErrorFacts } from '../errors.ts'
import type { ExportSpec } from '../export/model.ts'
import type {
  ArchiveHold,
  ArchiveSchedule,
  CalendarWindow,
  EnteredArchive,
  LedgerWindow,
  NewHold,
  WindowRequest,
  WindowState,
} from './model.ts'

/** One generation of one window. */
export interface WindowKey {
  readonly archive: string
  readonly from: Date
  readonly generation: number
}

/** Windows that begin in `[from, to)`. */
export interface WindowRange {
  readonly from: Date
  readonly to: Date
}

/**
 * Which windows there are, and what became of them. Every change is one guarded update, so that any number of planners may
 * run at the same time. All errors are SourceErrors besides.
 */
export interface ArchiveLedger {
  /**
   * Enters an archive, or finds it; start and settling time are from now on as given. For workers, whose configuration counts.
   * @throws StateError when it has another calendar: its windows would overlap, or leave gaps
   */
  open(schedule: ArchiveSchedule, now: Date): Promise<EnteredArchive>
  /** Likewise; but one that is there stays as it is, also where start and settling time are other ones. @throws StateError */
  enter(schedule: ArchiveSchedule, now: Date): Promise<EnteredArchive>
  /** All that were ever entered, by name. */
  listArchives(): Promise<readonly EnteredArchive[]>
  /** Up to where windows follow each other from `start` on without a gap; `start` where none begins there. */
  coveredUntil(archive: string, start: Date): Promise<Date>
  /** Enters a window as planned. False: it was there, and stays as it was, or a generation of it was deleted. */
  plan(key: WindowKey, window: CalendarWindow, request: WindowRequest): Promise<boolean>
  /** Undefined when there is no such window. */
  get(key: WindowKey): Promise<LedgerWindow | undefined>
  /** All generations of the windows of a range, oldest first. */
  listWindows(archive: string, range: WindowRange): Promise<readonly LedgerWindow[]>
  /** What became of the windows that are over, without a list of them: there may be a hundred thousand. */
  summarize(archive: string, query: SummaryQuery): Promise<LedgerSummary>
  /** Those that are planned or running, oldest first. */
  listOpen(archive: string): Promise<readonly LedgerWindow[]>
  /**
   * Failed ones whose time has come turn planned again, or those that begin in a range and of which no generation is archived.
   * Returns how many.
   */
  retryFailed(archive: string, which: { dueBy: Date } | WindowRange): Promise<number>
  /** A failed one turns planned again, whatever its time. False: it has not failed. */
  retry(key: WindowKey): Promise<boolean>
  /** A planned window's export was requested. False: it is not planned. */
  begin(key: WindowKey, exportId: string): Promise<boolean>
  /** The manifest of a running window is there. False: another export runs for it, or none. */
  finish(key: WindowKey, exportId: string, at: Date): Promise<boolean>
  /** The manifest of a planned or running window was there, of an export that this ledger does not know. False: it is neither. */
  adopt(key: WindowKey, at: Date): Promise<boolean>
  /** The export of a running window failed, or undefined, of a planned one. False: another one runs for it, or none. */
  fail(key: WindowKey, exportId: string | undefined, failure: WindowFailure): Promise<boolean>
  /** Those that failed and are tried again, planned or running or not yet, and of which no later generation is archived. */
  surveyFailed(archive: string, limit: number): Promise<WindowSurvey>
  /** Those that begin and end in a range, and of which no generation was archived; without those that are not planned. */
  surveyLate(archive: string, range: WindowRange, limit: number): Promise<WindowSurvey>
  /** Where no windows begin in a range, up to the next that does or to its end; oldest first. */
  listGaps(archive: string, range: WindowRange, limit: number): Promise<readonly WindowRange[]>
}

/** Windows, of which only so many are listed, oldest first. */
export interface WindowSurvey {
  readonly count: number
  readonly windows: readonly LedgerWindow[]
}

/** An alarm that was raised, and is not over yet. */
export interface RaisedAlarm {
  readonly since: Date
  /** When it was last logged. */
  readonly loggedAt: Date
  /** Of the message that goes with that line of the log: the same however often it is sent. */
  readonly messageId: string
  /** When somebody was last told of it; earlier than the line of the log: or may have been, as a call was begun. */
  readonly toldAt?: Date
}

/**
 * What all workers together remember of the alarm of their archives. Every change is one guarded update: of two runs at the
 * same time one goes on. All errors are SourceErrors.
 */
export interface AlarmMemory {
  get(): Promise<RaisedAlarm | undefined>
  /** False: what was to be replaced is not there any more, or something is where nothing was. */
  put(alarm: RaisedAlarm, instead: RaisedAlarm | undefined): Promise<boolean>
  /** False: it is not there any more. */
  clear(alarm: RaisedAlarm): Promise<boolean>
}

/** Bounds of windows, by the calendar. */
export interface SummaryQuery {
  /** Start of the first window: what the ledger lacks before it is no gap. */
  readonly first: Date
  /** End of the last window that has settled. */
  readonly settledUntil: Date
  /** End of the last window that is over, which is not earlier; later ones are left out. */
  readonly overUntil: Date
  /** Gaps, and failed windows, at most. */
  readonly limit: number
}

export interface LedgerSummary {
  /** Windows by the state of their latest archived generation, else of their latest; without states of none. */
  readonly counts: Partial<Record<WindowState, number>>
  /** Windows from the first on; and how many of them had settled. */
  readonly entered: number
  readonly enteredSettled: number
  /** What the ledger lacks from the first window on, of what has settled; the oldest ones, in their order. */
  readonly gaps: readonly WindowRange[]
  /** Those that count as failed; the oldest ones, in their order. */
  readonly failed: readonly LedgerWindow[]
}

export interface WindowFailure {
  readonly error: ErrorFacts
  /** Undefined: not by itself. */
  readonly retryAt?: Date
}

/**
 * What becomes of windows that are archived: which are there, which are held, and which were deleted. Every change is one
 * guarded step; all errors are SourceErrors besides.
 */
export interface RetentionLedger {
  /** All generations of the windows that were not deleted, oldest first. */
  listKept(archive: string): Promise<readonly LedgerWindow[]>
  /** Likewise, only of windows of which one is archived, and so many of them: there may be a hundred thousand. */
  listArchived(archive: string, page: ArchivedPage): Promise<readonly LedgerWindow[]>
  /** The newest one of which a generation is archived. */
  newestArchived(archive: string): Promise<LedgerWindow | undefined>
  /**
   * All generations of a window turn deleted. False, and nothing changes: it is held by now, one of them is planned or
   * runs, or there is a later one than this.
   */
  markDeleted(latest: WindowKey, deletion: WindowDeletion): Promise<boolean>
  /** Deleted windows of which something may be left in the bucket, and that nobody has held since; oldest first. */
  listUnremoved(archive: string): Promise<readonly LedgerWindow[]>
  /** Nothing is left of a deleted window, of any generation. */
  markRemoved(window: Omit<WindowKey, 'generation'>, at: Date): Promise<void>
  /** An operator lets windows be deleted by a policy; the one before counts no more. */
  confirmKeep(archive: string, keep: string): Promise<void>
  /** From then on nothing is deleted that overlaps it. The archive must have been entered. */
  placeHold(hold: NewHold): Promise<ArchiveHold>
  /** Those that were not released, of one archive or of all, in the order in which they were placed. */
  listHolds(archive?: string): Promise<readonly ArchiveHold[]>
  /** Undefined when there is no such hold, or it was released before. */
  releaseHold(id: number, at: Date): Promise<ArchiveHold | undefined>
}

export interface ArchivedPage {
  /** Those that begin later; undefined: from the first on. */
  readonly after: Date | undefined
  /** Those that are over by then. */
  readonly until: Date
  /** Windows at most, the oldest ones. */
  readonly limit: number
}

export interface WindowDeletion {
  readonly at: Date
  readonly reason: string
}

/** Where manifests are kept: beside the artifacts. */
export interface ManifestStore {
  /** Undefined when there is none. @throws StoreError */
  get(key: string): Promise<string | undefined>
  /** Stores JSON where there is nothing yet; what is there stays as it is. Whether it was stored now. @throws StoreError */
  putOnce(key: string, text: string): Promise<boolean>
}

/** An object, and what it holds. */
export interface StoredArtifact {
  readonly key: string
  readonly spec: Pick<ExportSpec, 'dataset' | 'format' | 'compression'>
}

/** Compares artifacts by the records that they hold. */
export interface ArtifactComparer {
  /**
   * How many records of one artifact are not in another, by their ids.
   * @throws StoreError, with ARCHIVE_CORRUPT where one of the two is not there or not as it was written; the signal's reason
   */
  countMissing(
    older: StoredArtifact,
    newer: StoredArtifact,
    options: { readonly signal: AbortSignal },
  ): Promise<number>
}

/** What somebody is told of archives, by a call. */
export interface AlarmMessage {
  /** The same for each try to tell it: who gets it twice knows it by that. */
  readonly id: string
  readonly type: 'archive.alarm' | 'archive.recovered'
  /** Of the event, RFC 3339. */
  readonly timestamp: string
  readonly data: Readonly<Record<string, unknown>>
}
