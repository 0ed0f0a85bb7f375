/** What there is of an archive, in numbers: what `coverage.ts` lists window by window. */
import { countWindows, windowAt } from './calendar.ts'
import {
  coverageStates,
  type CalendarWindow,
  type CoverageState,
  type EnteredArchive,
  type LedgerWindow,
} from './model.ts'
import { firstWindow } from './plan-windows.ts'
import type { ArchiveLedger } from './ports.ts'

/** Missing ranges, and failed windows, of one archive that are shown, at most. */
const shown = 20

export interface ArchiveSummary {
  readonly archive: EnteredArchive
  /** The first by the calendar; a backfill may have filled earlier ones. */
  readonly first: CalendarWindow
  /** Windows that are over by now, by their state. */
  readonly counts: Readonly<Record<CoverageState, number>>
  /** The oldest missing ranges: fewer windows than are missing when there are more. */
  readonly gaps: readonly MissingRange[]
  /** The oldest that failed. */
  readonly failed: readonly LedgerWindow[]
}

/** Windows that follow each other, and that nobody has planned. */
export interface MissingRange {
  readonly first: CalendarWindow
  readonly last: CalendarWindow
  readonly windows: number
}

/** All archives, by name; of each the ledger counts and the calendar says how many there should be. @throws SourceError */
export async function readSummaries(
  ledger: Pick<ArchiveLedger, 'listArchives' | 'summarize'>,
  now: Date,
): Promise<readonly ArchiveSummary[]> {
  const summaries: ArchiveSummary[] = []
  // one after another: who looks at many archives takes no more than one connection
  for (const archive of await ledger.listArchives()) {
    summaries.push(await summarizeArchive(ledger, archive, now))
  }
  return summaries
}

async function summarizeArchive(
  ledger: Pick<ArchiveLedger, 'summarize'>,
  archive: EnteredArchive,
  now: Date,
): Promise<ArchiveSummary> {
  const { name, calendar, settleMs } = archive
  const first = firstWindow(archive)
  // where the window begins that is not over, or not settled, the last one ends that is
  const overUntil = windowAt(calendar, now).from
  const settledUntil = windowAt(calendar, new Date(now.getTime() - settleMs)).from
  const query = { first: first.from, settledUntil, overUntil, limit: shown }
  const found = await ledger.summarize(name, query)
  const due = countWindows(calendar, first.from, settledUntil)
  const over = countWindows(calendar, first.from, overUntil)
  const missing = due - found.enteredSettled
  const none = Object.fromEntries(coverageStates.map((state) => [state, 0]))
  return {
    archive,
    first,
    counts: {
      ...(none as Record<CoverageState, number>),
      ...found.counts,
      missing,
      settling: over - found.entered - missing,
    },
    gaps: found.gaps.map(({ from, to }) => ({
      first: windowAt(calendar, from),
      last: windowAt(calendar, new Date(to.getTime() - 1)),
      windows: countWindows(calendar, from, to),
    })),
    failed: found.failed,
  }
}
