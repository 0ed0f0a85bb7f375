import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError } from '../errors.ts'
import type { ExportView } from '../http/schemas.ts'

export interface ClientOptions {
  /** Of the server, such as `http://127.0.0.1:8080`. */
  readonly url: string
}

/** The body of `POST /exports`. */
export interface ExportRequestBody {
  readonly dataset?: string
  readonly time_from: string
  readonly time_to?: string
  readonly filter_events?: string
  readonly export_content?: boolean
  readonly filter_state?: string
}

export interface ExportList {
  readonly exports: readonly ExportView[]
  readonly next_cursor: string | null
}

export interface WaitOptions {
  readonly signal?: AbortSignal
  /** Called with every answer on the way. */
  readonly onProgress?: (view: ExportView) => void
}

/** The HTTP interface as functions. All of them throw ClientErrors with the server's own code. */
export interface Client {
  request(
    body: ExportRequestBody,
    options?: { readonly idempotencyKey?: string | undefined },
  ): Promise<ExportView>
  status(id: string): Promise<ExportView>
  list(query: Readonly<Record<string, string | undefined>>): Promise<ExportList>
  cancel(id: string): Promise<ExportView>
  /** Returns when the export has finished, however it did. */
  wait(id: string, options?: WaitOptions): Promise<ExportView>
}

/** Between two looks while waiting, ms. */
const pollMs = 500
/** While waiting, a server may be away for so long, ms. */
const patienceMs = 60_000
/** A request that has no answer by then is given up, ms. */
const timeoutMs = 30_000

export function createClient({ url }: ClientOptions): Client {
  const base = url.replace(/\/+$/, '')
  async function call<T>(method: string, path: string, init: RequestInit = {}): Promise<T> {
    const limit = AbortSignal.timeout(timeoutMs)
    const signal = init.signal ? AbortSignal.any([limit, init.signal]) : limit
    let response: Response
    let text: string
    try {
      response = await fetch(`${base}${path}`, { ...init, method, signal })
      text = await response.text()
    } catch (cause) {
      throw new ClientError('SERVER_UNAVAILABLE', `No Longhaul server answers at ${url}.`, {
        cause,
        retryable: true,
        hint: 'Start one (`longhaul dev` or `longhaul serve`), or set LONGHAUL_URL to where it runs.',
      })
    }
    const body = parseJson(text)
    if (response.ok && body !== undefined) return body as T
    throw problemError(response.status, body, url)
  }
  const byId = (id: string) => `/exports/${encodeURIComponent(id)}`
  const status = (id: string, signal?: AbortSignal) =>
    call<ExportView>('GET', byId(id), signal === undefined ? {} : { signal })

  return {
    status: (id) => status(id),

    request: (body, { idempotencyKey } = {}) =>
      call('POST', '/exports', {
        body: JSON.stringify(body),
        headers: {
          'content-type': 'application/json',
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
        },
      }),

    list(query) {
      const given = Object.entries(query).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      )
      return call('GET', `/exports?${new URLSearchParams(given).toString()}`)
    },

    cancel: (id) => call('POST', `${byId(id)}/cancel`),

    async wait(id, { signal, onProgress } = {}) {
      let answeredAt = performance.now()
      for (;;) {
        signal?.throwIfAborted()
        try {
          const view = await status(id, signal)
          answeredAt = performance.now()
          onProgress?.(view)
          if (view.state !== 'queued' && view.state !== 'running') return view
        } catch (error) {
          signal?.throwIfAborted()
          // a server that is being restarted comes back; the export goes on meanwhile
          const passing = error instanceof ClientError && error.retryable
          if (!passing || performance.now() - answeredAt > patienceMs) throw error
        }
        // an abort ends the pause; the loop then looks at the signal
        await sleep(pollMs, undefined, signal === undefined ? {} : { signal }).catch(
          () => undefined,
        )
      }
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** A problem document as an error; anything else was not answered by Longhaul. */
function problemError(status: number, body: unknown, url: string): ClientError {
  const { code, detail, hint } = (body ?? {}) as Partial<Record<'code' | 'detail' | 'hint', string>>
  if (code !== undefined && detail !== undefined) {
    return new ClientError(code, detail, { hint, retryable: status === 503 })
  }
  return new ClientError(
    'SERVER_UNAVAILABLE',
    `${url} answered ${status}, but not as Longhaul does.`,
    {
      hint: 'Check LONGHAUL_URL, and any proxy in between.',
    },
  )
}
