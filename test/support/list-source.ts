import type { RowSource } from '../../src/export/ports.ts'
import { aborted, deferred } from './deferred.ts'
import { blockOf } from './row-blocks.ts'

export interface ListSource extends RowSource {
  /** Snapshots that were opened and not closed. */
  readonly openSnapshots: number
  /** Resolves when a reader waits at the row that was named. */
  readonly waiting: Promise<void>
  /** Lets the reader that waits go on. */
  resume(): void
}

export interface ListSourceOptions {
  /** The reader fails when it comes to this row, counted from 0. */
  readonly failAt?: { readonly row: number; readonly error: Error }
  /** The reader waits at this row until it is resumed or its signal is aborted. */
  readonly waitAt?: number
  readonly at?: Date
}

/** A RowSource over given batches, whatever is asked of it. */
export function createListSource(
  batches: readonly (readonly string[])[],
  { failAt, waitAt, at = new Date('2026-01-02T03:00:00.000Z') }: ListSourceOptions = {},
): ListSource {
  const waiting = deferred()
  const resumed = deferred()
  let openSnapshots = 0

  /** Before a row is handed out. */
  async function arrive(row: number, signal: AbortSignal): Promise<void> {
    if (row === failAt?.row) throw failAt.error
    if (row !== waitAt) return
    waiting.resolve()
    await Promise.race([resumed.promise, aborted(signal)])
  }

  return {
    waiting: waiting.promise,
    resume: () => resumed.resolve(),
    get openSnapshots() {
      return openSnapshots
    },
    open({ signal }) {
      openSnapshots++
      let open = true
      return Promise.resolve({
        at,
        estimate: () => Promise.resolve(batches.flat().length),
        async *read() {
          let row = 0
          for (const batch of batches) {
            signal.throwIfAborted()
            const stop = [failAt?.row, waitAt].find(
              (at) => at !== undefined && at >= row && at < row + batch.length,
            )
            if (stop !== undefined && stop > row) yield blockOf(batch.slice(0, stop - row))
            if (stop !== undefined) await arrive(stop, signal)
            yield blockOf(stop === undefined ? batch : batch.slice(stop - row))
            row += batch.length
          }
        },
        close() {
          if (open) openSnapshots--
          open = false
          return Promise.resolve()
        },
      })
    },
  }
}
