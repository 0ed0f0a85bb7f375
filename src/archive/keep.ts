/**
 * What a policy keeps of an archive, and why. Windows do not overlap: what one holds no other one does. So each clause
 * names a span of the calendar of which every window is kept, and none is thinned out.
 */
import { keepForEver, type KeepPolicy } from '../runtime/keep-text.ts'
import { latestSpan } from './calendar.ts'
import { currentGenerations } from './coverage.ts'
import type { ArchiveHold, Calendar, LedgerWindow } from './model.ts'

export interface KeepFacts {
  readonly calendar: Calendar
  /** All generations of all windows that were not deleted, as the ledger lists them. */
  readonly windows: readonly LedgerWindow[]
  /** Of this archive. */
  readonly holds: readonly ArchiveHold[]
  /** The newest archived window, where the windows that are given are not all. */
  readonly newest?: LedgerWindow
}

/** What is to become of an archived window. */
export interface KeepDecision {
  /** Its latest archived generation. */
  readonly window: LedgerWindow
  /** All of them, oldest first. */
  readonly generations: readonly LedgerWindow[]
  readonly keep: boolean
  /** At least one. */
  readonly reasons: readonly string[]
}

const units = { hourly: 'hour', daily: 'day', monthly: 'month', yearly: 'year' } as const

/** Of each clause, counted back from the newest archived window. */
const spansOf = (
  { clauses }: KeepPolicy,
  calendar: Calendar,
  newest: Pick<LedgerWindow, 'to'>,
): readonly KeptSpan[] =>
  clauses.map(({ span, count }) => {
    const { from, name } = latestSpan(calendar, newest, units[span], count)
    return { from, name, reason: `${span} ${count}, which is from ${name} on` }
  })

interface KeptSpan {
  readonly from: Date
  readonly name: string
  readonly reason: string
}

const widestOf = (spans: readonly KeptSpan[]): KeptSpan | undefined =>
  [...spans].sort((a, b) => a.from.getTime() - b.from.getTime())[0]

/** Windows that are over by then are not kept by a policy, and all others are; undefined when it keeps all. Pure. */
export const keptFrom = (
  policy: KeepPolicy,
  calendar: Calendar,
  newest: Pick<LedgerWindow, 'to'>,
): Date | undefined =>
  policy.forEver ? undefined : widestOf(spansOf(policy, calendar, newest))?.from

/**
 * Decides for each archived window whether it is kept, oldest first. Spans are counted back from the newest archived window, not
 * from today: an archive that is stalled loses nothing. That one is always kept. Pure.
 */
export function decideKeep(
  policy: KeepPolicy,
  { calendar, windows, holds, ...facts }: KeepFacts,
): readonly KeepDecision[] {
  const archived = [...currentGenerations(windows).values()].filter(
    ({ state }) => state === 'archived',
  )
  const newest = facts.newest ?? archived.at(-1)
  if (newest === undefined) return []
  const byStart = new Map<number, LedgerWindow[]>()
  for (const each of windows) {
    const found = byStart.get(each.from.getTime())
    if (found === undefined) byStart.set(each.from.getTime(), [each])
    else found.push(each)
  }
  const spans = spansOf(policy, calendar, newest)
  const widest = widestOf(spans)
  return archived.map((window) => {
    const generations = byStart.get(window.from.getTime()) ?? [window]
    const open = generations.filter(({ state }) => state === 'planned' || state === 'running')
    const reasons = [
      ...(policy.forEver ? [keepForEver.text] : []),
      ...spans.filter(({ from }) => window.to > from).map(({ reason }) => reason),
      ...holds.filter((hold) => overlaps(hold, window)).map(describeHold),
      ...open.map(({ generation }) => `generation ${generation} of it is on its way`),
    ]
    if (reasons.length > 0) return { window, generations, keep: true, reasons }
    const why = `over before ${widest?.name ?? ''}, where what ${policy.text} keeps begins`
    return { window, generations, keep: false, reasons: [why] }
  })
}

const overlaps = (hold: ArchiveHold, { from, to }: LedgerWindow) =>
  hold.from < to && (hold.to === undefined || hold.to > from)

const describeHold = ({ id, reason }: ArchiveHold) => `hold ${id}: ${reason}`
