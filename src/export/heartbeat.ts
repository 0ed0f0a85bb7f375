import { CanceledError, InterruptedError, SourceError } from '../errors.ts'
import { untilAborted } from '../runtime/abort.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Claim } from './model.ts'
import type { ExportRecords, ProgressReport } from './ports.ts'

export interface HeartbeatDeps {
  readonly records: Pick<ExportRecords, 'progress' | 'get'>
  readonly clock: Clock
}

export interface HeartbeatOptions {
  readonly claim: Claim
  readonly leaseMs: number
  /** Between two reports, ms. */
  readonly intervalMs: number
  /** What to report, read at each beat. */
  readonly report: () => Omit<ProgressReport, 'leaseMs'>
}

export interface Heartbeat {
  /** Aborts with a CanceledError or InterruptedError once the claim is no longer ours. */
  readonly signal: AbortSignal
  /** Reports at once, besides the timer. */
  beat(): Promise<void>
  /** Returns when no report is under way any more. */
  stop(): Promise<void>
}

/**
 * Writes progress and renews the lease on a timer of its own, never in the row loop, so that a slow
 * read or upload cannot cost the lease. Learns that way, too, that an export was canceled elsewhere.
 */
export function startHeartbeat(
  { records, clock }: HeartbeatDeps,
  { claim, leaseMs, intervalMs, report }: HeartbeatOptions,
): Heartbeat {
  const lost = new AbortController()
  const name = `Attempt ${claim.attempt} of export ${claim.id}`
  let lastError: unknown
  let deadline: NodeJS.Timeout | undefined

  lost.signal.addEventListener('abort', () => clearTimeout(deadline), { once: true })

  // a timer, not a look at the clock after an answer: a control database that went silent gives none
  function leaseBegan(at: number): void {
    clearTimeout(deadline)
    const end = () =>
      lost.abort(new InterruptedError(`${name} could not renew its lease.`, { cause: lastError }))
    deadline = setTimeout(end, at + leaseMs - clock.now().getTime())
  }

  async function beat(): Promise<void> {
    // the lease counts from before the report: its answer may take long
    const sentAt = clock.now().getTime()
    // one connection that went silent must not cost the lease: the next beat takes another
    const impatient = new AbortController()
    const silence = setTimeout(() => impatient.abort(noAnswer()), leaseMs / 3)
    try {
      const sent = records.progress(claim, { ...report(), leaseMs })
      if (await untilAborted(sent, impatient.signal)) {
        if (!stopped && !lost.signal.aborted) leaseBegan(sentAt)
        return
      }
      const { state } = await records.get(claim.id)
      const canceled = state === 'canceled'
      lost.abort(
        canceled ? new CanceledError(claim.id) : new InterruptedError(`${name} lost its lease.`),
      )
    } catch (error) {
      // the control database may come back before the lease ends; after that another worker may have it
      lastError = error
    } finally {
      clearTimeout(silence)
    }
  }

  let current: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const schedule = () => {
    if (stopped || lost.signal.aborted) return
    timer = setTimeout(() => {
      current = beat().then(schedule)
    }, intervalMs)
  }
  leaseBegan(clock.now().getTime())
  schedule()
  return {
    signal: lost.signal,
    beat,
    async stop() {
      stopped = true
      clearTimeout(timer)
      // a report that is never answered must not outlast the lease
      await untilAborted(current, lost.signal).catch(() => undefined)
      clearTimeout(deadline)
    },
  }
}

const noAnswer = () =>
  new SourceError('SOURCE_UNAVAILABLE', 'The control database did not answer a report in time.')
