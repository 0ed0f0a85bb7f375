import { currentGenerations } from '../../src/archive/coverage.ts'
import type { EnteredArchive, LedgerWindow, WindowState } from '../../src/archive/model.ts'
import type { ArchiveLedger, WindowKey, WindowRange } from '../../src/archive/ports.ts'
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
  }
}
