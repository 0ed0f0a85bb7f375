import { InterruptedError } from '../errors.ts'

export interface Shutdown {
  /** Aborted, with an InterruptedError, by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal
  /** Resolves at the same moment. */
  readonly requested: Promise<void>
  /** Stops listening. */
  dispose(): void
}

/** Ctrl-C, a supervisor, and a terminal window that is closed; with their numbers. */
const stopSignals = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const
type StopSignal = keyof typeof stopSignals
const names = Object.keys(stopSignals) as StopSignal[]

/**
 * Waits for a request to stop. The first signal asks, a second one ends the process at once: the
 * exit code is then 128 plus the signal's number, as shells have it.
 */
export function listenForShutdown(): Shutdown {
  const controller = new AbortController()
  const onSignal = (name: StopSignal) => {
    if (controller.signal.aborted) process.exit(128 + stopSignals[name])
    controller.abort(new InterruptedError('Stopped by a signal.'))
  }
  for (const name of names) process.on(name, onSignal)
  const requested = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  return {
    signal: controller.signal,
    requested,
    dispose() {
      for (const name of names) process.off(name, onSignal)
    },
  }
}
