export interface Periodic {
  /** Returns when no run is under way any more; safe to call again. */
  stop(): Promise<void>
}

export interface PeriodicOptions {
  /** Between the end of a run and the next, ms; up to half of it is left to chance. */
  readonly intervalMs: number
  /** Told of a run that failed; the next one comes all the same. */
  readonly onError: (error: unknown) => void
}

/** Runs `work` again and again, never twice at once; many processes that do so do not keep step. */
export function startPeriodic(
  work: (options: { readonly signal: AbortSignal }) => Promise<void>,
  { intervalMs, onError }: PeriodicOptions,
): Periodic {
  const stopping = new AbortController()
  let current: Promise<void> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined

  const run = async (): Promise<void> => {
    await work({ signal: stopping.signal }).catch((error: unknown) => {
      if (!stopping.signal.aborted) onError(error)
    })
    schedule()
  }
  function schedule(): void {
    if (stopping.signal.aborted) return
    const pauseMs = intervalMs * (0.5 + Math.random() / 2)
    timer = setTimeout(() => {
      current = run()
    }, pauseMs)
  }
  schedule()
  return {
    async stop() {
      stopping.abort()
      clearTimeout(timer)
      await current
    },
  }
}
