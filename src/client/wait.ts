import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError } from '../errors.ts'
import type { ExportView } from '../http/schemas.ts'
import { holdSeconds, type Caller } from './call.ts'

export interface WaitOptions {
  readonly signal?: AbortSignal
  /** Called with every change on the way. */
  readonly onProgress?: (view: ExportView) => void
  /** How long the server may be away meanwhile, ms; default a minute. */
  readonly patienceMs?: number
}

/** A server that asks for more patience than that, ms, is asked again all the same. */
const longestPauseMs = 30_000

/** After an answer that told nothing new, at least, ms: a proxy in between may not let the server wait. */
const pauseMs = 500

/**
 * Returns when the export has finished. The server answers as soon as something changes; one that is
 * being restarted is waited for, as the export goes on meanwhile.
 * @throws ClientError, or the signal's reason
 */
export async function waitForEnd(
  call: Caller,
  path: string,
  {
    id,
    url,
    signal,
    onProgress,
    patienceMs = 60_000,
  }: WaitOptions & { readonly id: string; readonly url: string },
): Promise<ExportView> {
  const abortable = signal === undefined ? {} : { signal }
  let answeredAt = performance.now()
  let held: string | undefined
  for (;;) {
    let restMs = pauseMs
    signal?.throwIfAborted()
    try {
      // the first answer comes at once: whoever watches wants to see something
      const [query, headers] =
        held === undefined ? ['', {}] : [`?wait=${holdSeconds}`, { 'if-none-match': held }]
      const { status, body, etag } = await call.send('GET', path + query, { headers, ...abortable })
      answeredAt = performance.now()
      if (etag !== undefined && etag !== held) restMs = 0
      held = etag
      if (status !== 304) {
        const view = body as ExportView
        onProgress?.(view)
        if (view.state !== 'queued' && view.state !== 'running') return view
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ClientError) || !error.retryable) throw error
      if (performance.now() - answeredAt > patienceMs) throw stillGoesOn(id, url, patienceMs, error)
      restMs = Math.max(pauseMs, Math.min(error.retryAfterMs ?? 0, longestPauseMs))
    }
    // an abort ends the pause; the loop then looks at the signal
    await sleep(restMs, undefined, abortable).catch(() => undefined)
  }
}

const stillGoesOn = (id: string, url: string, patienceMs: number, cause: ClientError) =>
  new ClientError(
    'SERVER_UNAVAILABLE',
    `For ${Math.round(patienceMs / 1000)} s there was no answer about export ${id} from ${url}, at last because: ` +
      `${cause.message} The export goes on.`,
    {
      cause,
      retryable: true,
      hint: `Once the server is back, look at the export with \`longhaul status ${id}\`.`,
    },
  )
