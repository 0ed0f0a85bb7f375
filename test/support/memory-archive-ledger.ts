import { currentGenerations } from '../../src/archive/coverage.ts'
import type {
  ArchiveSchedule,
  EnteredArchive,
  LedgerWindow,
  WindowState,
} from '../../src/archive/model.ts'
import type {
  ArchiveLedger,
  RetentionLedger,
  WindowKey,
  WindowRange,
  WindowSurvey,
} from '../../src/archive/ports.ts'
import { StateError } from '../../src/errors.ts'
import { createMemoryHolds } from './memory-holds.ts'

/** Both ledgers in memory; `archive-ledger-contract.ts` and `retention-ledger-contract.ts` hold them to what the real ones do. */
export function createMemoryArchiveLedger(): ArchiveLedger & RetentionLedger {
  const archives = new Map<string, EnteredArchive>()
  const windows = new Map<string, LedgerWindow>()
  const { isHeld, ...holds } = createMemoryHolds()
  const idOf = ({ archive, from, generation }: WindowKey) =>
    `${archive} ${from.toISOString()} ${generation}`
  const of = (archive: string, matches: (window: LedgerWindow) => boolean = () => true) =>
    [...windows.values()]
      .filter((window) => window.archive === archive && matches(window))
      .sort((a, b) => a.from.getTime() - b.from.getTime() || a.generation - b.generation)

  function change(
    key: WindowKey,
    may: (window: LedgerWindow) => boolean,
    next: (window: LedgerWindow) => LedgerWindow,
  ): Promise<boolean> {
    const window = windows.get(idOf(key))
    if (window === undefined || !may(window)) return Promise.resolve(false)
    windows.set(idOf(key), next(window))
    return Promise.resolve(true)
  }
  const generationsOf = ({ archive, from }: Omit<WindowKey, 'generation'>) =>
    of(archive, (each) => each.from.getTime() === from.getTime())
  const runs = (exportId: string) => (window: LedgerWindow) =>
    window.state === 'running' && window.exportId === exportId
  function findArchive({ name, calendar }: ArchiveSchedule) {
    const known = archives.get(name)
    const { calendar: kept = calendar } = known ?? {}
    if (kept.unit === calendar.unit && kept.timeZone === calendar.timeZone) return known
    throw new StateError('ARCHIVE_CALENDAR', `${name} has another calendar`, kept.unit)
  }
  function putArchive(entered: EnteredArchive) {
    archives.set(entered.name, entered)
    return entered
  }

  const survey = (
    archive: string,
    matches: (window: LedgerWindow) => boolean,
    limit: number,
  ): Promise<WindowSurvey> => {
    const found = of(archive, (window) => isUnarchived(window) && matches(window))
    return Promise.resolve({ count: found.length, windows: found.slice(0, limit) })
  }

  return {
    async open(schedule, now) {
      await Promise.resolve()
      const { enteredAt = now, ...known } = findArchive(schedule) ?? {}
      return putArchive({ ...known, ...scheduleOf(schedule), enteredAt })
    },
    async enter(schedule, now) {
      await Promise.resolve()
      return findArchive(schedule) ?? putArchive({ ...scheduleOf(schedule), enteredAt: now })
    },
    listArchives: () =>
      Promise.resolve([...archives.values()].sort((a, b) => (a.name < b.name ? -1 : 1))),
    listWindows: (archive, range) =>
      Promise.resolve(of(archive, ({ from }) => from >= range.from && from < range.to)),
    coveredUntil(archive, start) {
      const begins = new Map(of(archive).map(({ from, to }) => [from.getTime(), to]))
      let until = start
      for (;;) {
        const next = begins.get(until.getTime())
        if (next === undefined) return Promise.resolve(until)
        until = next
      }
    },
    plan(key, window, request) {
      const isDeleted = generationsOf(key).some(({ state }) => state === 'deleted')
      if (windows.has(idOf(key)) || isDeleted) return Promise.resolve(false)
      windows.set(idOf(key), { ...window, ...key, request, state: 'planned', tries: 0 })
      return Promise.resolve(true)
    },
    get: (key) => Promise.resolve(windows.get(idOf(key))),
    summarize(archive, { first, settledUntil, overUntil, limit }) {
      const entries = of(archive, ({ to }) => to <= overUntil)
      const current = [...currentGenerations(entries).values()]
      const counts: Partial<Record<WindowState, number>> = {}
      for (const { state } of current) counts[state] = (counts[state] ?? 0) + 1
      const entered = current.filter(({ from }) => from >= first)
      const settled = entered.filter(({ to }) => to <= settledUntil)
      const gaps: WindowRange[] = []
      let covered = first
      for (const { from, to } of [...settled, { from: settledUntil, to: settledUntil }]) {
        if (covered < from) gaps.push({ from: covered, to: from })
        covered = to
      }
      return Promise.resolve({
        ...{ counts, entered: entered.length, enteredSettled: settled.length },
        gaps: gaps.slice(0, limit),
        failed: current.filter(({ state }) => state === 'failed').slice(0, limit),
      })
    },
    listOpen: (archive) =>
      Promise.resolve(of(archive, ({ state }) => state === 'planned' || state === 'running')),
    async retryFailed(archive, which) {
      let count = 0
      for (const window of of(archive, hasFailed)) {
        const { retryAt, from } = window
        const isBare = generationsOf(window).every(({ state }) => state !== 'archived')
        const wanted =
          'dueBy' in which
            ? retryAt !== undefined && retryAt <= which.dueBy
            : from >= which.from && from < which.to && isBare
        if (wanted && (await change(window, hasFailed, plannedAgain))) count++
      }
      return count
    },
    retry: (key) => change(key, hasFailed, plannedAgain),
    begin: (key, exportId) =>
      change(
        key,
        ({ state }) => state === 'planned',
        (window) => ({ ...window, state: 'running', exportId, tries: window.tries + 1 }),
      ),
    finish: (key, exportId, archivedAt) =>
      change(key, runs(exportId), (window) => {
        const finished = { ...window, state: 'archived' as const, archivedAt }
        delete finished.error
        return finished
      }),
    adopt: (key, archivedAt) =>
      change(
        key,
        ({ state }) => state === 'planned' || state === 'running',
        (window) => {
          const adopted = { ...window, state: 'archived' as const, archivedAt }
          delete adopted.error
          delete adopted.exportId
          return adopted
        },
      ),
    fail: (key, exportId, failure) =>
      change(
        key,
        exportId === undefined ? ({ state }) => state === 'planned' : runs(exportId),
        (window) => ({ ...window, ...failure, state: 'failed' }),
      ),
    listKept: (archive) => Promise.resolve(of(archive, ({ state }) => state !== 'deleted')),
    listArchived(archive, { after = new Date(-8.64e15), until, limit }) {
      const isInPage = ({ state, from, to }: LedgerWindow) =>
        state === 'archived' && from > after && to <= until
      const starts = new Set(of(archive, isInPage).map(({ from }) => from.getTime()))
      const page = [...starts].slice(0, limit)
      return Promise.resolve(of(archive, ({ from }) => page.includes(from.getTime())))
    },
    newestArchived: (archive) =>
      Promise.resolve(of(archive, ({ state }) => state === 'archived').at(-1)),
    markDeleted({ generation, ...place }, { at, reason }) {
      const all = generationsOf(place)
      const may = all.every(
        (each) =>
          (each.state === 'archived' || each.state === 'failed') &&
          each.generation <= generation &&
          !isHeld(each),
      )
      if (!may || !all.some(({ state }) => state === 'archived')) return Promise.resolve(false)
      for (const each of all) {
        const deleted = { ...each, state: 'deleted', deletedAt: at, deletedReason: reason } as const
        delete (deleted as { retryAt?: Date }).retryAt
        windows.set(idOf(each), deleted)
      }
      return Promise.resolve(true)
    },
    listUnremoved: (archive) =>
      Promise.resolve(
        of(
          archive,
          (each) => each.state === 'deleted' && each.removedAt === undefined && !isHeld(each),
        ),
      ),
    markRemoved(place, removedAt) {
      for (const each of generationsOf(place)) {
        if (each.state !== 'deleted' || each.removedAt !== undefined) continue
        windows.set(idOf(each), { ...each, removedAt })
      }
      return Promise.resolve()
    },
    confirmKeep(archive, confirmedKeep) {
      const known = archives.get(archive)
      if (known !== undefined) archives.set(archive, { ...known, confirmedKeep })
      return Promise.resolve()
    },
    ...holds,
    placeHold: (hold) =>
      archives.has(hold.archive)
        ? holds.placeHold(hold)
        : Promise.reject(new Error('there is no such archive')),
    surveyFailed: (archive, limit) =>
      survey(
        archive,
        ({ from, generation, error, state, retryAt }) =>
          error !== undefined &&
          (state !== 'failed' || retryAt !== undefined) &&
          of(archive, wasArchived(from)).every((other) => other.generation <= generation),
        limit,
      ),
    surveyLate: (archive, range, limit) =>
      survey(
        archive,
        ({ from, to }) =>
          from >= range.from && to <= range.to && of(archive, wasArchived(from)).length === 0,
        limit,
      ),
    listGaps(archive, range, limit) {
      const starts = of(archive, ({ from }) => from >= range.from && from < range.to)
      const gaps: WindowRange[] = []
      let until = range.from
      for (const { from, to } of [...starts, { from: range.to, to: range.to }]) {
        if (from > until) gaps.push({ from: until, to: from })
        if (to > until) until = to
      }
      return Promise.resolve(gaps.slice(0, limit))
    },
  }
}

const scheduleOf = ({ name, calendar, start, settleMs }: ArchiveSchedule): ArchiveSchedule => ({
  ...{ name, calendar, start, settleMs },
})
const isUnarchived = ({ state }: LedgerWindow) =>
  state === 'planned' || state === 'running' || state === 'failed'
const wasArchived = (start: Date) => (window: LedgerWindow) =>
  window.from.getTime() === start.getTime() && !isUnarchived(window)

const hasFailed = ({ state }: LedgerWindow) => state === 'failed'
function plannedAgain(window: LedgerWindow): LedgerWindow {
  const planned = { ...window, state: 'planned' as const }
  delete planned.retryAt
  return planned
}
