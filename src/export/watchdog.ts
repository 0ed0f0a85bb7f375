import { AbandonedError, SourceError, StoreError } from '../errors.ts'
import type { Clock } from '../runtime/clock.ts'

export interface WatchdogOptions {
  /** No row read, and none taken by the object store, for so long ends the attempt, ms. */
  readonly stallMs: number
  /** When the export, whatever it does, has taken too long. */
  readonly deadline: Date
  /** How long an export may take, ms: for the message. */
  readonly maxMs: number
}

/** Ends an attempt that no longer moves: a connection that went silent tells nobody. */
export interface Watchdog {
  /** Aborts with a SourceError or StoreError (retryable), or with an AbandonedError. */
  readonly signal: AbortSignal
  /** Passes batches on, and notices who waits for whom. */
  watch<T>(batches: AsyncIterable<T>): AsyncGenerator<T>
  stop(): void
}

/**
 * An upload is completed in one request, which may take minutes for a large object, and of which
 * nothing can be seen meanwhile ("CompleteMultipartUpload", S3 API reference).
 */
const completionMs = 15 * 60_000

/** Whom the attempt waits for: for the first row, too, and for the end of the upload. */
type WaitsFor = 'source' | 'store' | 'completion'

/** Starts to watch, at a moment when the attempt waits for the source. */
export function startWatchdog(
  { clock }: { readonly clock: Clock },
  { stallMs, deadline, maxMs }: WatchdogOptions,
): Watchdog {
  const ended = new AbortController()
  const patienceMs = {
    source: stallMs,
    store: stallMs,
    completion: Math.max(stallMs, completionMs),
  }
  let waitsFor: WaitsFor = 'source'
  let movedAt = clock.now().getTime()
  let timer: NodeJS.Timeout | undefined

  /** A movement costs no timer: the one that runs finds out, and is set again. */
  function check(): void {
    const now = clock.now().getTime()
    const stallsAt = movedAt + patienceMs[waitsFor]
    if (now >= deadline.getTime()) ended.abort(tooLong(maxMs))
    else if (now >= stallsAt) ended.abort(stalled(waitsFor, patienceMs[waitsFor]))
    // Node takes no longer timer than 2^31 - 1 ms
    else timer = setTimeout(check, Math.min(stallsAt, deadline.getTime(), now + 3_600_000) - now)
  }

  function moved(next: WaitsFor): void {
    waitsFor = next
    movedAt = clock.now().getTime()
  }

  check()
  return {
    signal: ended.signal,
    async *watch(batches) {
      moved('source')
      for await (const batch of batches) {
        moved('store')
        yield batch
        moved('source')
      }
      moved('completion')
    },
    stop: () => clearTimeout(timer),
  }
}

function stalled(waitsFor: WaitsFor, ms: number): SourceError | StoreError {
  const seconds = `${ms / 1000} s`
  switch (waitsFor) {
    case 'source':
      return new SourceError(
        'SOURCE_TIMEOUT',
        `No row has come from the source database for ${seconds}.`,
        {
          hint: 'See in pg_stat_activity what the query waits for: a lock, a missing index? STALL_SECONDS is the limit.',
        },
      )
    case 'store':
      return new StoreError('STORE_UNAVAILABLE', `The object store took nothing for ${seconds}.`, {
        hint: 'Check the network to the object store. STALL_SECONDS is the limit.',
      })
    case 'completion':
      return new StoreError(
        'STORE_UNAVAILABLE',
        `The object store did not complete the upload within ${seconds}.`,
      )
  }
}

const tooLong = (maxMs: number) =>
  new AbandonedError(
    `Given up: the export took longer than ${maxMs / 1000} s, its attempts taken together.`,
    { hint: 'Export a shorter range, or allow more with EXPORT_MAX_SECONDS.' },
  )
