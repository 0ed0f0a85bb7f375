import { windowAt, windowsFrom } from '../../src/archive/calendar.ts'
import { coverWindows } from '../../src/archive/coverage.ts'
import {
  coverageStates,
  type ArchiveSchedule,
  type CoverageState,
  type EnteredArchive,
  type WindowRequest,
} from '../../src/archive/model.ts'
import type { ArchiveLedger } from '../../src/archive/ports.ts'
import type { ArchiveSummary } from '../../src/archive/summary.ts'
import type { Dice } from './dice.ts'

export interface RandomLedgerOptions {
  readonly dice: Dice
  readonly from: Date
  readonly to: Date
  readonly request: WindowRequest
  /** Id of an export that is there. */
  readonly createExport: () => Promise<string>
}

const error = { code: 'SOURCE_TIMEOUT', message: 'too slow', retryable: true }

/** Enters windows that begin in a range at random, in stretches, with gaps between them, in any state, some of them in several generations. */
export async function fillAtRandom(
  ledger: ArchiveLedger,
  { name, calendar }: ArchiveSchedule,
  { dice, from, to, request, createExport }: RandomLedgerOptions,
): Promise<void> {
  let left = 0
  let isGap = true
  for (const window of windowsFrom(calendar, from)) {
    if (window.from >= to) return
    if (left-- <= 0) {
      left = dice.between(0, 8)
      isGap = !isGap
    }
    if (isGap) continue
    const generations = dice.percent(80) ? 1 : dice.between(2, 4)
    for (let generation = 1; generation <= generations; generation++) {
      const key = { archive: name, from: window.from, generation }
      await ledger.plan(key, window, request)
      const fate = dice.between(0, 9)
      if (fate === 0) continue
      // taken over by its manifest, as most are here: an export of its own for each would take long
      if (fate > 3) {
        await ledger.adopt(key, to)
        continue
      }
      const id = await createExport()
      await ledger.begin(key, id)
      if (fate === 2) await ledger.fail(key, id, { error, retryAt: to })
      if (fate === 3) await ledger.finish(key, id, to)
    }
  }
}

/** What a summary says, in short. */
export const facts = ({ counts, gaps, failed }: Omit<ArchiveSummary, 'archive' | 'first'>) => ({
  counts,
  gaps: gaps.map(({ first, last, windows }) => `${first.name} ${last.name} ${windows}`),
  failed: failed.map((window) => `${window.name} ${window.generation}`),
})

/** The same from a list of all windows, one by one. */
export async function countOneByOne(
  ledger: ArchiveLedger,
  archive: EnteredArchive,
  now: Date,
): Promise<ReturnType<typeof facts>> {
  const range = { from: new Date(0), to: now }
  const entries = await ledger.listWindows(archive.name, range)
  const { from: first } = windowAt(archive.calendar, archive.start ?? now)
  const [earliest = first] = entries.map((entry) => entry.from)
  const from = earliest < first ? earliest : first
  const covered = coverWindows(archive, entries, { from, to: now, now })
  const counts = Object.fromEntries(coverageStates.map((state) => [state, 0])) as Record<
    CoverageState,
    number
  >
  const gaps: { first: string; last: string; windows: number }[] = []
  covered.forEach(({ name, state }, index) => {
    counts[state]++
    if (state !== 'missing') return
    const gap = gaps.at(-1)
    if (gap !== undefined && gap.last === covered[index - 1]?.name) {
      Object.assign(gap, { last: name, windows: gap.windows + 1 })
    } else gaps.push({ first: name, last: name, windows: 1 })
  })
  const failed = covered.filter(({ state }) => state === 'failed')
  return {
    counts,
    gaps: gaps.slice(0, 20).map((gap) => `${gap.first} ${gap.last} ${gap.windows}`),
    failed: failed.slice(0, 20).map(({ name, entry }) => `${name} ${entry?.generation}`),
  }
}
