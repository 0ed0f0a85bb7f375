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

interface Waiter {
  readonly id: string
  see(record: ExportRecord): void
  fail(error: unknown): void
}

/** Watches exports for all who wait, with one statement a look, however many they are. */
export function createExportWatch(
  { records }: { readonly records: Pick<ExportRecords, 'getMany'> },
  { intervalMs }: { readonly intervalMs: number },
): ExportWatch {
  const waiters = new Set<Waiter>()
  let looking = false

  async function look(): Promise<void> {
    const before = [...waiters]
    try {
      const found = await records.getMany([...new Set(before.map(({ id }) => id))])
      const byId = new Map(found.map((record) => [record.id, record]))
      for (const waiter of before) {
        const record = byId.get(waiter.id)
        if (record !== undefined) waiter.see(record)
      }
    } catch (error) {
      for (const waiter of before) waiter.fail(error)
    }
  }

  function lookAgain(): void {
    looking = waiters.size > 0
    if (looking) setTimeout(() => void look().then(lookAgain), intervalMs)
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
          id: seen.id,
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
        if (!looking) lookAgain()
      }),
  }
}
