export interface RestOptions {
  /** How long a failure is the outcome, ms. Default: as long as any other one. */
  readonly failureMs?: number
}

/**
 * The same work, done no more often than so: whoever asks while it is under way, or within `restMs` after it has ended, gets the same
 * outcome, also a failure.
 */
export function rested<T>(
  work: () => Promise<T>,
  restMs: number,
  { failureMs = restMs }: RestOptions = {},
): () => Promise<T> {
  let current: Promise<T> | undefined
  const forgetIn = (ms: number) => {
    if (ms === 0) current = undefined
    else setTimeout(() => (current = undefined), ms).unref()
  }
  return () => {
    if (current === undefined) {
      current = work()
      current.then(
        () => forgetIn(restMs),
        () => forgetIn(failureMs),
      )
    }
    return current
  }
}
