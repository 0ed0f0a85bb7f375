import type { EnteredArchive, LedgerWindow } from '../../src/archive/model.ts'
import type {
  ArchiveLedger,
  WindowKey,
  WindowRange,
  WindowSurvey,
} from '../../src/archive/ports.ts'
import { StateError } from '../../src/errors.ts'

/** An ArchiveLedger in memory; `archive-ledger-contract.ts` holds it to what the real one does. */
export function createMemoryArchiveLedger(): ArchiveLedger {
  const archives = new Map<string, EnteredArchive>()
  const windows = new Map<string, LedgerWindow>()
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
  const runs = (exportId: string) => (window: LedgerWindow) =>
    window.state === 'running' && window.exportId === exportId

  const survey = (
    archive: string,
    matches: (window: LedgerWindow) => boolean,
    limit: number,
  ): Promise<WindowSurvey> => {
    const found = of(archive, (window) => isUnarchived(window) && matches(window))
    return Promise.resolve({ count: found.length, windows: found.slice(0, limit) })
  }

  return {
    async open({ name, calendar, start, settleMs }, now) {
      await Promise.resolve()
      const { enteredAt = now, calendar: kept = calendar } = archives.get(name) ?? {}
      if (kept.unit !== calendar.unit || kept.timeZone !== calendar.timeZone) {
        throw new StateError('ARCHIVE_CALENDAR', `${name} has another calendar`, kept.unit)
      }
      const entered = { name, calendar, start, settleMs, enteredAt }
      archives.set(name, entered)
      return entered
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
      if (windows.has(idOf(key))) return Promise.resolve(false)
      windows.set(idOf(key), { ...window, ...key, request, state: 'planned', tries: 0 })
      return Promise.resolve(true)
    },
    get: (key) => Promise.resolve(windows.get(idOf(key))),
    listOpen: (archive) =>
      Promise.resolve(of(archive, ({ state }) => state === 'planned' || state === 'running')),
    async retryFailed(archive, which) {
      let count = 0
      for (const window of windows.values()) {
        if (window.archive !== archive || window.state !== 'failed') continue
        const { retryAt, ...rest } = window
        const wanted =
          'dueBy' in which
            ? retryAt !== undefined && retryAt <= which.dueBy
            : rest.from >= which.from && rest.from < which.to
        if (!wanted) continue
        count++
        await change(
          window,
          () => true,
          () => ({ ...rest, state: 'planned' }),
        )
      }
      return count
    },
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
    surveyFailed: (archive, limit) =>
      survey(
        archive,
        ({ from, generation, error }) =>
          error !== undefined &&
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

const isUnarchived = ({ state }: LedgerWindow) =>
  state === 'planned' || state === 'running' || state === 'failed'
const wasArchived = (start: Date) => (window: LedgerWindow) =>
  window.from.getTime() === start.getTime() && !isUnarchived(window)
