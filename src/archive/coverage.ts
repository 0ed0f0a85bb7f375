/** What there is of the windows that there should be. */
import { SpecError } from '../errors.ts'
import { got } from '../runtime/describe-issues.ts'
import { isLocalDate } from '../runtime/local-time.ts'
import { endOfDate, startOfDate, windowsFrom } from './calendar.ts'
import type {
  CalendarWindow,
  CoverageState,
  EnteredArchive,
  KnownHold,
  LedgerWindow,
} from './model.ts'
import { firstWindow, settledAt } from './plan-windows.ts'
import type { ArchiveLedger } from './ports.ts'

export interface CoveredWindow extends CalendarWindow {
  readonly state: CoverageState
  /** Its latest archived generation, else its latest; undefined where the ledger has none. */
  readonly entry?: LedgerWindow
  /** A later generation, which is to take the place of the archived one, or failed to. */
  readonly repair?: LedgerWindow
}

export interface ArchiveCoverage {
  readonly archive: EnteredArchive
  /** Start of its first window by the calendar; a backfill may have filled earlier ones. */
  readonly first: Date
  /** Those that are over by now, oldest first; before the first one only what the ledger has. */
  readonly windows: readonly CoveredWindow[]
  /** Those that were not released, where they were asked for. */
  readonly holds?: readonly KnownHold[]
}

export interface CoverageQuery {
  /** Name of one archive; absent: all. */
  readonly archive?: string | undefined
  /** The first and the last local date; absent: from the first window on, or an earlier one of the ledger, up to now. */
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/** @throws SpecError when there is no such archive, or a date is none; SourceError */
export async function readCoverage(
  ledger: Pick<ArchiveLedger, 'listArchives' | 'listWindows'>,
  { archive: name, from, to }: CoverageQuery,
  now: Date,
): Promise<readonly ArchiveCoverage[]> {
  checkDates({ from, to })
  const archives = await ledger.listArchives()
  const wanted = archives.filter((each) => name === undefined || each.name === name)
  if (name !== undefined && wanted.length === 0) throw unknownArchive(name, archives)
  return Promise.all(
    wanted.map(async (archive): Promise<ArchiveCoverage> => {
      const { timeZone } = archive.calendar
      const first = firstWindow(archive).from
      const end = to === undefined ? now : (endOfDate(to, timeZone) ?? now)
      const begin = from === undefined ? new Date(0) : (startOfDate(from, timeZone) ?? first)
      const entries = await ledger.listWindows(archive.name, { from: begin, to: end })
      const [earliest = first] = entries.map((entry) => entry.from)
      const fromStart = earliest < first ? earliest : first
      const range = { from: from === undefined ? fromStart : begin, to: end }
      return { archive, first, windows: coverWindows(archive, entries, { ...range, now }) }
    }),
  )
}

/** What became of the windows that begin in a range and were over at `now`. @param entries all generations of them */
export function coverWindows(
  archive: EnteredArchive,
  entries: readonly LedgerWindow[],
  { from, to, now }: { readonly from: Date; readonly to: Date; readonly now: Date },
): readonly CoveredWindow[] {
  const current = currentGenerations(entries)
  const latest = new Map(entries.map((entry) => [entry.from.getTime(), entry]))
  const first = firstWindow(archive).from
  const covered: CoveredWindow[] = []
  for (const window of windowsFrom(archive.calendar, from)) {
    if (window.from >= to || window.to > now) break
    const entry = current.get(window.from.getTime())
    const later = latest.get(window.from.getTime())
    const repair = later === undefined || later === entry ? {} : { repair: later }
    if (entry !== undefined) covered.push({ ...window, state: entry.state, entry, ...repair })
    else if (window.from < from || window.from < first) continue
    else {
      const settling = settledAt(window.to, archive) > now
      covered.push({ ...window, state: settling ? 'settling' : 'missing' })
    }
  }
  return covered
}

/**
 * Of each window its latest archived generation, else its latest, by the window's start in ms.
 * @param entries as the ledger lists them
 */
export function currentGenerations(
  entries: readonly LedgerWindow[],
): ReadonlyMap<number, LedgerWindow> {
  const current = new Map<number, LedgerWindow>()
  for (const entry of entries) {
    const start = entry.from.getTime()
    if (entry.state === 'archived' || current.get(start)?.state !== 'archived') {
      current.set(start, entry)
    }
  }
  return current
}

/** No archive has this name. */
export function unknownArchive(
  name: string,
  known: readonly { readonly name: string }[],
): SpecError {
  const names = known.map((archive) => archive.name).join(', ')
  return new SpecError('ARCHIVE_UNKNOWN', `There is no archive ${got(name)}.`, {
    hint:
      names === ''
        ? 'None has begun: start a worker with ARCHIVE_SCHEDULE, or run `longhaul archive --from DATE`.'
        : `Known ones: ${names}.`,
  })
}

/** @throws SpecError */
export function checkDates({ from, to }: Pick<CoverageQuery, 'from' | 'to'>): void {
  for (const [field, date] of Object.entries({ from, to })) {
    if (date === undefined || isLocalDate(date)) continue
    const expected = 'expected a date, such as "2025-01-01"'
    throw new SpecError('SPEC_INVALID', `${field}: ${expected}, got ${got(date)}.`)
  }
  if (from !== undefined && to !== undefined && from > to) {
    throw new SpecError('SPEC_INVALID', `from: expected a date up to ${to}, got ${got(from)}.`)
  }
}
