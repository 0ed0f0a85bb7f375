/** Which windows of an archive somebody has to look after: those that failed, and those that should be there by now. */
import { countWindows, windowAt, windowsFrom } from './calendar.ts'
import type {
  AlarmedWindow,
  AlarmedWindows,
  ArchiveAlarm,
  ArchiveSchedule,
  EnteredArchive,
  LedgerWindow,
} from './model.ts'
import { firstWindow, settledAt } from './plan-windows.ts'
import type { ArchiveLedger, WindowRange, WindowSurvey } from './ports.ts'

const dayMs = 86_400_000

/** So many windows of an archive are listed, of either kind; all are counted. */
export const listedWindows = 10

/** Where nothing was planned: so many spans are told of, at most, with all that is missing in each; one is usual. */
const listedGaps = 100

/** What the ledger has of the windows in question. */
interface AlarmFacts {
  readonly failed: WindowSurvey
  readonly late: WindowSurvey
  /** Of the time from the first window to `overdueBefore`. */
  readonly gaps: readonly WindowRange[]
}

/** When workers last looked what is due, by a time. */
export type LatestLook = (by: Date) => Date

/** A window that ended by then should be archived: it had settled when workers looked, and a day has passed since. */
const overdueBefore = (
  { settleMs }: Pick<ArchiveSchedule, 'settleMs'>,
  now: Date,
  latestLook: LatestLook,
): Date => new Date(latestLook(new Date(now.getTime() - dayMs)).getTime() - settleMs)

/** What is wrong with one archive, of whose windows those should be archived that ended before that. */
function judgeArchive(
  archive: EnteredArchive,
  { failed, late, gaps }: AlarmFacts,
  before: Date,
): ArchiveAlarm {
  const missing = missingWindows(archive, gaps, before)
  const windows = [...late.windows.map(inLedger), ...missing.windows]
    .sort((a, b) => a.from.getTime() - b.from.getTime())
    .slice(0, listedWindows)
  const [oldest] = windows
  return {
    archive,
    failed: { count: failed.count, windows: failed.windows.map(inLedger) },
    overdue: { count: late.count + missing.count, windows },
    ...(oldest === undefined ? {} : { overdueSince: settledAt(oldest.to, archive) }),
  }
}

const inLedger = (entry: LedgerWindow): AlarmedWindow => {
  const { name, date, from, to, state } = entry
  return { name, date, from, to, state, entry }
}

function missingWindows(
  { calendar }: EnteredArchive,
  gaps: readonly WindowRange[],
  before: Date,
): AlarmedWindows {
  // the last one may end within a window, which is not overdue
  const last = windowAt(calendar, before).from
  const windows: AlarmedWindow[] = []
  let count = 0
  for (const { from, to } of gaps) {
    const end = to < last ? to : last
    count += countWindows(calendar, from, end)
    for (const window of windowsFrom(calendar, from)) {
      if (window.from >= end || windows.length === listedWindows) break
      windows.push({ ...window, state: 'missing' })
    }
  }
  return { count, windows }
}

/** What a look needs of the ledger. */
export type AlarmLedger = Pick<
  ArchiveLedger,
  'listArchives' | 'surveyFailed' | 'surveyLate' | 'listGaps'
>

/**
 * Looks at the archives of these names. One that was entered once, and that nobody names any more, was taken away on
 * purpose: it raises no alarm. What a backfill has planned before the first window of an archive is not overdue, either.
 *
 * Of a ledger of many years a look reads the end only: windows that were there stay there, and so it remembers up to where they were
 * without a gap.
 * @param latestLook default: at any time
 * @returns looks at a given time; throws SourceError
 */
export function createAlarmLook(
  ledger: AlarmLedger,
  names: readonly string[],
  latestLook: LatestLook = (by) => by,
): (now: Date) => Promise<readonly ArchiveAlarm[]> {
  /** By archive and start of its first window: where windows have followed each other without a gap. */
  const covered = new Map<string, Date>()

  async function findGaps(archive: EnteredArchive, range: WindowRange) {
    const id = `${archive.name} ${range.from.toISOString()}`
    const from = covered.get(id) ?? range.from
    if (from >= range.to) return []
    const gaps = await ledger.listGaps(archive.name, { from, to: range.to }, listedGaps)
    covered.set(id, gaps[0]?.from ?? windowAt(archive.calendar, range.to).from)
    return gaps
  }

  async function lookAt(archive: EnteredArchive, now: Date): Promise<ArchiveAlarm> {
    const { name } = archive
    const range = { from: firstWindow(archive).from, to: overdueBefore(archive, now, latestLook) }
    const isYoung = range.from >= range.to
    const failed = await ledger.surveyFailed(name, listedWindows)
    const late = isYoung ? nothing : await ledger.surveyLate(name, range, listedWindows)
    const gaps = isYoung ? [] : await findGaps(archive, range)
    return judgeArchive(archive, { failed, late, gaps }, range.to)
  }

  return async (now) => {
    const alarms: ArchiveAlarm[] = []
    const archives = (await ledger.listArchives()).filter(({ name }) => names.includes(name))
    // one after the other: they share the connections of whatever else this process does
    for (const archive of archives) alarms.push(await lookAt(archive, now))
    return alarms
  }
}

const nothing: WindowSurvey = { count: 0, windows: [] }

/** Whether there is anything to look after. */
export const isAlarmed = ({ failed, overdue }: ArchiveAlarm): boolean =>
  failed.count + overdue.count > 0
