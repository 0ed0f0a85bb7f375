/** Ranges of dates of which nothing is deleted, whatever the policy says. */
import { SpecError } from '../errors.ts'
import { got } from '../runtime/describe-issues.ts'
import { dateOf, endOfDate, startOfDate } from './calendar.ts'
import { checkDates, unknownArchive } from './coverage.ts'
import type { ArchiveHold, EnteredArchive, KnownHold, LedgerWindow } from './model.ts'
import type { ArchiveLedger, RetentionLedger } from './ports.ts'

export interface HoldDeps {
  readonly ledger: Pick<ArchiveLedger, 'listArchives' | 'listWindows'>
  readonly retention: Pick<RetentionLedger, 'placeHold' | 'listHolds' | 'releaseHold'>
}

export interface HoldListDeps {
  readonly ledger: Pick<ArchiveLedger, 'listArchives'>
  readonly retention: Pick<RetentionLedger, 'listHolds'>
}

export interface HoldRequest {
  readonly archive: string
  /** The first local date. */
  readonly from: string
  /** The last one; absent: all that follow, too. */
  readonly to?: string | undefined
  readonly reason: string
}

export interface PlacedHold extends KnownHold {
  /** Windows of its range that are archived. */
  readonly archived: number
  /** Those that were deleted before it was placed: they do not come back. */
  readonly deleted: readonly LedgerWindow[]
}

const maxReason = 500

/**
 * Holds the windows of a range of dates, those that are archived and those that are to come.
 * @throws SpecError when there is no such archive, a date is none, or the reason is empty or too long; SourceError
 */
export async function placeHold(
  { ledger, retention }: HoldDeps,
  { archive: name, from, to, reason }: HoldRequest,
  now: Date,
): Promise<PlacedHold> {
  checkDates({ from, to })
  const why = reason.trim()
  if (why === '' || why.length > maxReason) {
    const message = `reason: expected 1 to ${maxReason} characters, got ${got(reason)}.`
    throw new SpecError('SPEC_INVALID', message)
  }
  const archives = await ledger.listArchives()
  const archive = archives.find((each) => each.name === name)
  if (archive === undefined) throw unknownArchive(name, archives)
  const { timeZone } = archive.calendar
  const [begin, end] = [
    startOfDate(from, timeZone),
    to === undefined ? undefined : endOfDate(to, timeZone),
  ]
  if (begin === undefined) throw new RangeError(`${from} has no start in ${timeZone}.`)
  const facts = { archive: name, from: begin, to: end, reason: why, placedAt: now }
  const hold = await retention.placeHold(facts)
  // only now: what is deleted from here on is not of this hold
  const far = new Date(now.getTime() + 86_400_000)
  const entries = await ledger.listWindows(name, { from: new Date(0), to: end ?? far })
  const inRange = entries.filter((window) => window.to > begin)
  const starts = (state: LedgerWindow['state']) =>
    new Map(inRange.filter((each) => each.state === state).map((each) => [+each.from, each]))
  const deleted = [...starts('deleted').values()]
  const [known = { hold, dates: { from } }] = withDates(hold, [archive])
  return { ...known, archived: starts('archived').size, deleted }
}

/** Those that were not released. @throws SpecError when there is no such archive, SourceError */
export async function listHolds(
  { ledger, retention }: HoldListDeps,
  name: string | undefined,
): Promise<readonly KnownHold[]> {
  const archives = await ledger.listArchives()
  if (name !== undefined && !archives.some((each) => each.name === name)) {
    throw unknownArchive(name, archives)
  }
  const holds = await retention.listHolds(name)
  return holds.flatMap((hold) => withDates(hold, archives))
}

/** From then on its windows may be deleted again. @throws SpecError when there is no such hold, SourceError */
export async function releaseHold(
  { ledger, retention }: HoldDeps,
  id: number,
  now: Date,
): Promise<KnownHold> {
  const hold = await retention.releaseHold(id, now)
  const [known] = hold === undefined ? [] : withDates(hold, await ledger.listArchives())
  if (known !== undefined) return known
  throw new SpecError('HOLD_UNKNOWN', `There is no hold ${id}, or it was released before.`, {
    hint: '`longhaul archive holds` shows the ones that there are.',
  })
}

function withDates(hold: ArchiveHold, archives: readonly EnteredArchive[]): readonly KnownHold[] {
  const { archive, from, to } = hold
  return archives
    .filter(({ name }) => name === archive)
    .map(({ calendar: { timeZone } }) => {
      const last = to === undefined ? {} : { to: dateOf(new Date(to.getTime() - 1), timeZone) }
      return { hold, dates: { from: dateOf(from, timeZone), ...last } }
    })
}
