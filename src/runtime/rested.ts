/**
 * The same work, done no more often than so: whoever asks while it is under way, or within `restMs` after it has ended, gets the same
 * outcome, also a failure.
 */
export function rested<T>(work: () => Promise<T>, restMs: number): () => Promise<T> {
  let current: Promise<T> | undefined
  return () => {
    if (current === undefined) {
      current = work()
      const forget = () => setTimeout(() => (current = undefined), restMs).unref()
      current.then(forget, forget)
    }
    return current
  }
}
