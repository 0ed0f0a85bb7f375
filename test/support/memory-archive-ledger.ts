import type { Calendar } from '../../src/archive/calendar.ts'
import type { LedgerWindow } from '../../src/archive/model.ts'
import type { ArchiveLedger, WindowKey } from '../../src/archive/ports.ts'
import { StateError } from '../../src/errors.ts'

interface Entered {
  readonly calendar: Calendar
  readonly at: Date
}

/** An ArchiveLedger in memory; `archive-ledger-contract.ts` holds it to what the real one does. */
export function createMemoryArchiveLedger(): ArchiveLedger {
  const archives = new Map<string, Entered>()
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
    async open(archive, calendar, now) {
      await Promise.resolve()
      const entered = archives.get(archive) ?? { calendar, at: now }
      archives.set(archive, entered)
      const { unit, timeZone } = entered.calendar
      if (unit !== calendar.unit || timeZone !== calendar.timeZone) {
        throw new StateError('ARCHIVE_CALENDAR', `${archive} has another calendar`, unit)
      }
      return entered.at
    },
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
    async retryFailed(archive, now) {
      let count = 0
      for (const window of windows.values()) {
        if (window.archive !== archive || window.state !== 'failed') continue
        const { retryAt, ...rest } = window
        if (retryAt === undefined || retryAt > now) continue
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
    fail: (key, exportId, failure) =>
      change(key, runs(exportId), (window) => ({ ...window, ...failure, state: 'failed' })),
  }
}
