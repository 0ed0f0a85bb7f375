import type { ExportRecord } from './model.ts'
import type { ExportRecords } from './ports.ts'

export interface ExportWatch {
  /**
   * Waits until the record is such that `enough`, looking again and again. Resolves with the latest
   * one when the signal is aborted before.
   * @throws control database errors: who waits may ask again
   */
  until(
    seen: ExportRecord,
    enough: (record: ExportRecord) => boolean,
    options: { readonly signal: AbortSignal },
  ): Promise<ExportRecord>
}

export interface WatchPace {
  /** A tenth of an export's age lies between two looks at it, but no less than this, ms, */
  readonly shortestMs: number
  /** and no more than this, ms. */
  readonly longestMs: number
}

interface Waiter {
  readonly record: ExportRecord
  /** When it is looked for next, ms. */
  dueAt: number
  see(record: ExportRecord): void
  fail(error: unknown): void
}

/** Timers may be so much early, ms. */
const tolerance = 1

/**
 * Watches exports for all who wait, with one statement a look, however many they are. What takes long is looked
 * for seldom, and who waits for a short export waits hardly longer than it takes.
 */
export function createExportWatch(
  { records }: { readonly records: Pick<ExportRecords, 'getMany'> },
  { shortestMs, longestMs }: WatchPace,
): ExportWatch {
  const waiters = new Set<Waiter>()
  let timer: NodeJS.Timeout | undefined
  let looking = false

  function nextLookAt({ createdAt }: ExportRecord): number {
    const share = (Date.now() - createdAt.getTime()) / 10
    return performance.now() + Math.min(longestMs, Math.max(shortestMs, share))
  }

  async function look(): Promise<void> {
    const until = performance.now() + tolerance
    const due = [...waiters].filter(({ dueAt }) => dueAt <= until)
    // whom it was for may wait no longer
    if (due.length === 0) return
    try {
      const found = await records.getMany([...new Set(due.map(({ record }) => record.id))])
      const byId = new Map(found.map((record) => [record.id, record]))
      for (const waiter of due) {
        const record = byId.get(waiter.record.id)
        if (record !== undefined) waiter.see(record)
        waiter.dueAt = nextLookAt(waiter.record)
      }
    } catch (error) {
      for (const waiter of due) waiter.fail(error)
    }
  }

  /** Again for each who comes: it may be the first to be looked for. */
  function schedule(): void {
    clearTimeout(timer)
    if (looking || waiters.size === 0) return
    const nextAt = Math.min(...Array.from(waiters, ({ dueAt }) => dueAt))
    timer = setTimeout(() => {
      looking = true
      void look().then(() => {
        looking = false
        schedule()
      })
    }, nextAt - performance.now())
  }

  return {
    until: (seen, enough, { signal }) =>
      new Promise((resolve, reject) => {
        let latest = seen
        if (enough(seen) || signal.aborted) {
          resolve(seen)
          return
        }
        const leave = () => {
          waiters.delete(waiter)
          signal.removeEventListener('abort', giveUp)
        }
        const giveUp = () => {
          leave()
          resolve(latest)
        }
        const waiter: Waiter = {
          record: seen,
          dueAt: nextLookAt(seen),
          see(record) {
            latest = record
            if (enough(record)) giveUp()
          },
          fail(error) {
            leave()
            reject(error instanceof Error ? error : new TypeError(String(error)))
          },
        }
        waiters.add(waiter)
        signal.addEventListener('abort', giveUp, { once: true })
        schedule()
      }),
  }
}
