/** The head of an answer of the object store, as far as it matters. */
export interface AnswerHead {
  readonly status: number
  /** Status and, where the store gave one, its own words: `403 AccessDenied: Request has expired`. */
  readonly said: string
  readonly contentRange?: string | undefined
  /** Bytes of the body, where it is announced. */
  readonly contentLength?: number | undefined
  readonly contentEncoding?: string | undefined
  readonly etag?: string | undefined
  readonly retryAfterMs?: number | undefined
}

/** What was asked for. */
export interface Asked {
  /** The first byte asked for: so many are here already. */
  readonly offset: number
  /** Of the first answer, when it can be compared. */
  readonly etag: string | undefined
  /** Bytes of the whole artifact. */
  readonly totalBytes: number
  /** False when what is here may not be dropped for a body that begins at zero. */
  readonly mayStartOver: boolean
}

/** Why a request did not end the download. */
export type Setback =
  /** The connection broke, or the store cannot answer now. */
  | {
      readonly kind: 'broken'
      readonly reason: string
      readonly retryAfterMs?: number | undefined
      readonly cause?: unknown
    }
  /** The store would not serve this link: most often because it has ended. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** What is there now is not what the bytes so far came from. */
  | { readonly kind: 'changed'; readonly reason: string }
  /** The store does not do as a range asks. */
  | { readonly kind: 'untrusted'; readonly reason: string }
  /** All that came is not the artifact. */
  | { readonly kind: 'mismatch'; readonly reason: string }

/** To take the body as what follows the bytes so far or as the whole; or why not to take it. */
export type Verdict = { readonly kind: 'rest' } | { readonly kind: 'whole' } | Setback

/** Asked again, these may well answer otherwise. */
const passing: readonly number[] = [408, 429, 500, 502, 503, 504]

/** Codings that `fetch` undoes by itself: the bytes would not be those that are stored. */
const decoded = /gzip|deflate|br|zstd/i

/** What to do with an answer, before a byte of its body is taken. Pure. */
export function decideAnswer(head: AnswerHead, asked: Asked): Verdict {
  const { status, said, contentEncoding = '' } = head
  const { offset } = asked
  if (passing.includes(status)) {
    const reason = `the object store answered ${said}`
    return { kind: 'broken', reason, retryAfterMs: head.retryAfterMs }
  }
  if ((status === 412 || status === 416) && offset > 0) {
    return { kind: 'changed', reason: `the object store answered ${said} to the rest of it` }
  }
  if (status !== 200 && status !== 206) {
    return { kind: 'refused', reason: `the object store answered ${said}` }
  }
  if (decoded.test(contentEncoding)) {
    const reason = `the answer is encoded as ${contentEncoding}, although that was not asked for`
    return { kind: 'refused', reason }
  }
  return status === 200 ? decideWhole(head, asked) : decideRest(head, asked)
}

function decideWhole({ contentLength }: AnswerHead, asked: Asked): Verdict {
  const { offset, totalBytes, mayStartOver } = asked
  if (contentLength !== undefined && contentLength !== totalBytes) {
    return { kind: 'mismatch', reason: `The object in the bucket has ${contentLength} bytes` }
  }
  if (offset > 0 && !mayStartOver) {
    return { kind: 'untrusted', reason: 'the object store answers a range with the whole' }
  }
  return { kind: 'whole' }
}

function decideRest({ contentRange, etag }: AnswerHead, asked: Asked): Verdict {
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/i.exec(contentRange ?? '') ?? []
  if (Number(first) !== asked.offset || Number(total) !== asked.totalBytes) {
    const wanted = `bytes ${asked.offset}- of ${asked.totalBytes}`
    const reason = `asked for ${wanted}, the object store sent ${contentRange ?? 'a part of its own choice'}`
    return { kind: 'untrusted', reason }
  }
  if (asked.etag !== undefined && etag !== undefined && etag !== asked.etag) {
    return { kind: 'changed', reason: `its ETag was ${asked.etag}, and is now ${etag}` }
  }
  return { kind: 'rest' }
}
