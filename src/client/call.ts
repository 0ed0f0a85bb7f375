import { ClientError } from '../errors.ts'
import { abortAfter } from '../runtime/abort.ts'

export interface Answer {
  readonly status: number
  /** Undefined where there is none, or no JSON. */
  readonly body: unknown
  readonly etag: string | undefined
}

/** One request at a time to one server. */
export interface Caller {
  /** @throws ClientError for any answer but 2xx and 304 */
  send(method: string, path: string, init?: RequestInit): Promise<Answer>
  /** The body of a 2xx answer. @throws ClientError */
  json<T>(method: string, path: string, init?: RequestInit): Promise<T>
}

/** How long the server may be asked to hold an answer back, seconds. */
export const holdSeconds = 20

/** A request that has no answer by then is given up, ms. */
const timeoutMs = (holdSeconds + 10) * 1000

export function createCaller({
  url,
  apiKey,
}: {
  readonly url: string
  readonly apiKey?: string | undefined
}): Caller {
  const base = url.replace(/\/+$/, '')
  const authorization = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }

  async function send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const signal = abortAfter(timeoutMs, init.signal ?? undefined)
    const headers = { ...authorization, ...(init.headers as Record<string, string> | undefined) }
    let response: Response
    let text: string
    try {
      response = await fetch(`${base}${path}`, { ...init, method, headers, signal })
      text = await response.text()
    } catch (cause) {
      throw new ClientError('SERVER_UNAVAILABLE', `No Longhaul server answers at ${url}.`, {
        cause,
        retryable: true,
        hint: 'Start one (`longhaul dev` or `longhaul serve`), or set LONGHAUL_URL to where it runs.',
      })
    }
    const { status } = response
    const body = parseJson(text)
    if (status !== 304 && (!response.ok || body === undefined)) {
      throw problem(status, body, { url, retryAfterMs: retryAfterOf(response) })
    }
    return { status, body, etag: response.headers.get('etag') ?? undefined }
  }

  return {
    send,
    json: async <T>(method: string, path: string, init?: RequestInit) =>
      (await send(method, path, init)).body as T,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** In seconds, as Longhaul says it. */
function retryAfterOf({ headers }: Response): number | undefined {
  const text = headers.get('retry-after') ?? ''
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined
}

/** A problem document as an error; anything else was not answered by Longhaul. */
function problem(
  status: number,
  body: unknown,
  { url, retryAfterMs }: { readonly url: string; readonly retryAfterMs: number | undefined },
): ClientError {
  const { code, detail, hint } = (body ?? {}) as Partial<Record<'code' | 'detail' | 'hint', string>>
  if (code !== undefined && detail !== undefined) {
    return new ClientError(code, detail, {
      hint,
      retryable: [429, 503].includes(status),
      retryAfterMs,
    })
  }
  return new ClientError(
    'SERVER_UNAVAILABLE',
    `${url} answered ${status}, but not as Longhaul does.`,
    {
      hint: 'Check LONGHAUL_URL, and any proxy in between.',
      // a proxy whose server is being restarted says so
      retryable: [502, 503, 504].includes(status),
      retryAfterMs,
    },
  )
}
