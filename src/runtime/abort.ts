/**
 * Waits for `work`, but no longer than until the signal is aborted: then it rejects with the signal's
 * reason, and the work goes on unobserved. Whoever calls still owns what is in flight.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined)
    throw signal.reason
  }
  let onAbort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort)
  }
}

/**
 * A signal that is aborted after so long, or with `outer` before that. It keeps no process alive.
 *
 * Instead of AbortSignal.timeout, which Node 20 forgets, once it collects garbage, where only an
 * AbortSignal.any knows of it: what waits for both then waits for ever.
 */
export function abortAfter(ms: number, outer?: AbortSignal): AbortSignal {
  const limit = new AbortController()
  const onTime = () =>
    limit.abort(new DOMException(`Nothing came of it in ${ms} ms`, 'TimeoutError'))
  setTimeout(onTime, ms).unref()
  return outer === undefined ? limit.signal : AbortSignal.any([outer, limit.signal])
}
