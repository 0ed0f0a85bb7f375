export interface Shutdown {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  /** Resolves at the same moment. */
  readonly requested: Promise<void>
  /** Stops listening. */
  dispose(): void
}

const stopSignals = ['SIGINT', 'SIGTERM'] as const

/**
 * Waits for a request to stop. The first signal asks, a second one ends the process at once: the
 * exit code is then 128 plus the signal's number, as shells have it.
 */
export function listenForShutdown(): Shutdown {
  const controller = new AbortController()
  const onSignal = (name: (typeof stopSignals)[number]) => {
    if (controller.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143)
    controller.abort()
  }
  for (const name of stopSignals) process.on(name, onSignal)
  const requested = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  return {
    signal: controller.signal,
    requested,
    dispose() {
      for (const name of stopSignals) process.off(name, onSignal)
    },
  }
}
