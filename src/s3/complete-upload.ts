/** One request of the completion; ended by the signal. */
export type AskToComplete = (signal: AbortSignal) => Promise<unknown>

export interface CompleteUploadOptions {
  /** Without an answer for so long it is asked again, ms. */
  readonly repeatMs: number
  /** Once aborted, nobody asks again; what was asked goes on. */
  readonly stop: AbortSignal
}

/**
 * Completes an upload, which a store may take minutes for in silence. So may a connection that some router
 * between has forgotten: it is asked again, on another connection, whenever nothing was heard for a
 * while, and the first answer that says so counts. A store that is at it yet may refuse to be asked
 * again: that says nothing, unless it is that there is no such upload any more.
 * @throws errors of the SDK: of the first request, or that the upload has gone
 */
export async function completeUpload(
  ask: AskToComplete,
  { repeatMs, stop }: CompleteUploadOptions,
): Promise<unknown> {
  const answered = new AbortController()
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve, reject) => {
      const again = () => {
        if (stop.aborted) return
        ask(answered.signal).then(resolve, (error: unknown) => {
          if (error instanceof Error && error.name === 'NoSuchUpload') reject(error)
        })
      }
      ask(answered.signal).then(resolve, reject)
      timer = setInterval(again, repeatMs)
    })
  } finally {
    clearInterval(timer)
    answered.abort()
  }
}
