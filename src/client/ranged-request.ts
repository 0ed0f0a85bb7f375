import { ClientError } from '../errors.ts'
import { KiB } from '../runtime/units.ts'
import type { AnswerHead } from './decide-answer.ts'

export interface RangedRequest {
  readonly url: string
  /** The first byte wanted; 0 asks for the whole. */
  readonly offset: number
  /** Only of the object that has this ETag. */
  readonly etag: string | undefined
  /** The connection counts as broken when no byte has come for so long, ms. */
  readonly silenceMs: number
  readonly signal: AbortSignal
}

export interface Answer {
  readonly head: AnswerHead
  /**
   * The body as it comes; ends where the store ends it.
   * @throws ClientError DOWNLOAD_FAILED, retryable, when the connection breaks or falls silent
   */
  readonly chunks: AsyncIterable<Uint8Array>
  /** Ends the connection, unless the body has come to its end. */
  close(): void
}

/** Of the body that comes with a refusal; the store's own words are at its beginning. */
const maxExplanationBytes = 16 * KiB

/**
 * One request for the bytes of an object from an offset on.
 * @throws ClientError DOWNLOAD_FAILED, retryable, when there is no answer; the signal's reason
 */
export async function requestRange(request: RangedRequest): Promise<Answer> {
  const { url, silenceMs, signal } = request
  const own = new AbortController()
  /** The work, unless it takes longer than the patience with a silent connection. */
  async function unlessSilent<T>(work: Promise<T>): Promise<T> {
    const onSilence = () => own.abort(broken(`no byte came for ${silenceMs / 1000} s`))
    const timer = setTimeout(onSilence, silenceMs)
    try {
      return await work
    } catch (error) {
      signal.throwIfAborted()
      throw error instanceof ClientError ? error : broken(describe(error), error)
    } finally {
      clearTimeout(timer)
    }
  }
  const init = { headers: headersOf(request), signal: AbortSignal.any([signal, own.signal]) }
  const response = await unlessSilent(fetch(url, init))
  const chunks = readChunks(response.body, unlessSilent)
  return {
    head: headOf(response, response.ok ? '' : await readExplanation(chunks)),
    chunks,
    close: () => own.abort(),
  }
}

function headersOf({ offset, etag }: RangedRequest): Record<string, string> {
  return {
    // the digest is that of the stored bytes, and an offset counts them, too
    'accept-encoding': 'identity',
    ...(offset === 0 ? {} : { range: `bytes=${offset}-` }),
    ...(offset === 0 || etag === undefined ? {} : { 'if-match': etag }),
  }
}

/** The timer runs only while the network is waited for: a slow disk is no silent connection. */
async function* readChunks(
  body: Response['body'],
  unlessSilent: <T>(work: Promise<T>) => Promise<T>,
): AsyncGenerator<Uint8Array> {
  if (body === null) return
  // the type of the reader says `any`
  const reader = body.getReader() as ReadableStreamDefaultReader<Uint8Array>
  for (;;) {
    const { done, value } = await unlessSilent(reader.read())
    if (done) return
    yield value
  }
}

function headOf({ status, headers }: Response, explanation: string): AnswerHead {
  const etag = headers.get('etag') ?? undefined
  return {
    status,
    said: explanation === '' ? String(status) : `${status} ${explanation}`,
    contentRange: headers.get('content-range') ?? undefined,
    contentLength: wholeNumber(headers.get('content-length')),
    contentEncoding: headers.get('content-encoding') ?? undefined,
    // If-Match never holds for a weak one: RFC 9110, section 13.1.1
    etag: etag?.startsWith('W/') === true ? undefined : etag,
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
  }
}

/** `Code: Message` of an error as S3 words it; empty when the body has none. */
async function readExplanation(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of chunks) {
      parts.push(chunk)
      bytes += chunk.length
      if (bytes >= maxExplanationBytes) break
    }
  } catch (error) {
    // the status says enough
    if (!(error instanceof ClientError)) throw error
  }
  const text = Buffer.concat(parts).toString()
  const element = (name: string) => new RegExp(`<${name}>([^<]{1,300})</${name}>`).exec(text)?.[1]
  const words = [element('Code'), element('Message')].filter((each) => each !== undefined)
  return words.join(': ')
}

function wholeNumber(text: string | null): number | undefined {
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined
}

/** Seconds, or a date: RFC 9110, section 10.2.3. */
function retryAfterMs(text: string | null, now: number): number | undefined {
  const seconds = wholeNumber(text)
  if (seconds !== undefined) return seconds * 1000
  const at = Date.parse(text ?? '')
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

const broken = (message: string, cause?: unknown) =>
  new ClientError('DOWNLOAD_FAILED', message, { retryable: true, cause })

/** fetch says "fetch failed" or "terminated", and its cause why. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  // several addresses that all refuse come as one error without a message
  return cause.message === ''
    ? ((cause as NodeJS.ErrnoException).code ?? cause.name)
    : cause.message
}
