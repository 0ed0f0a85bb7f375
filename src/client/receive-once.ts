import { createHash, type Hash } from 'node:crypto'
import { ClientError } from '../errors.ts'
import type { Artifact, ArtifactLink } from './artifact-link.ts'
import { decideAnswer, type Setback } from './decide-answer.ts'
import type { PartFile } from './part-file.ts'
import { requestRange, type Answer } from './ranged-request.ts'

/** The bytes so far, and what must be known to go on behind them. */
export interface Received {
  readonly part: PartFile
  /** Of the bytes so far. */
  hash: Hash
  /** Of the object that they came from. */
  etag: string | undefined
  /** Whether they came by more than one answer. */
  resumed: boolean
}

export const emptyReceived = (part: PartFile): Received => ({
  part,
  hash: createHash('sha256'),
  etag: undefined,
  resumed: false,
})

/** Drops the bytes so far. @throws ClientError of the file */
export async function startOver(received: Received): Promise<void> {
  await received.part.restart()
  Object.assign(received, emptyReceived(received.part))
}

export interface ReceiveOnceOptions {
  readonly silenceMs: number
  /** False when the bytes so far may not be dropped for an answer that begins at zero. */
  readonly mayStartOver: boolean
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

export interface RequestEnd {
  /** Undefined: the artifact is here, and has the size and SHA-256 of its record. */
  readonly setback: Setback | undefined
  readonly newBytes: boolean
  /** The bytes before were dropped for a body that began at zero. */
  readonly startedOver: boolean
}

/**
 * Asks once for the bytes that are missing, and takes what comes.
 * @throws ClientError of the file, or of an export that has no artifact any more; the signal's reason
 */
export async function receiveOnce(
  { link, received }: { readonly link: ArtifactLink; readonly received: Received },
  { silenceMs, mayStartOver, signal, onBytes }: ReceiveOnceOptions,
): Promise<RequestEnd> {
  const { bytes: totalBytes } = link.artifact
  const { part } = received
  let answer: Answer | undefined
  let newBytes = false
  let startedOver = false
  const end = (setback?: Setback): RequestEnd => ({ setback, newBytes, startedOver })
  try {
    const { etag } = received
    const asked = { offset: part.bytes, etag, totalBytes, mayStartOver }
    const url = await link.url()
    answer = await requestRange({ url, offset: part.bytes, etag, silenceMs, signal })
    const verdict = decideAnswer(answer.head, asked)
    if (verdict.kind !== 'rest' && verdict.kind !== 'whole') return end(verdict)
    if (part.bytes > 0) {
      if (verdict.kind === 'rest') received.resumed = true
      else await startOver(received)
      startedOver = verdict.kind === 'whole'
    }
    if (part.bytes === 0) received.etag = answer.head.etag
    for await (const chunk of answer.chunks) {
      if (part.bytes + chunk.length > totalBytes) {
        return end({ kind: 'mismatch', reason: `The download has more than ${totalBytes} bytes` })
      }
      received.hash.update(chunk)
      await part.append(chunk)
      newBytes ||= chunk.length > 0
      onBytes(part.bytes)
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!isPassing(error)) throw error
    // the last byte may be here although the connection did not end well
    if (part.bytes < totalBytes) return end(broken(error.message, error))
  } finally {
    answer?.close()
  }
  return end(
    part.bytes < totalBytes ? broken('the body ended too early') : verify(received, link.artifact),
  )
}

const broken = (reason: string, cause?: unknown): Setback => ({ kind: 'broken', reason, cause })

/** The network, or a server that is away: both may come back. A file error never passes. */
function isPassing(error: unknown): error is ClientError {
  return error instanceof ClientError && error.retryable
}

function verify({ part, hash }: Received, { sha256 }: Artifact): Setback | undefined {
  const digest = hash.digest('hex')
  if (digest === sha256) return undefined
  return { kind: 'mismatch', reason: `The download has ${part.bytes} bytes with SHA-256 ${digest}` }
}
