import { setTimeout as sleep } from 'node:timers/promises'
import { ClientError } from '../errors.ts'
import type { ArtifactLink } from './artifact-link.ts'
import { decideNext, type History, type Next } from './decide-next.ts'
import type { PartFile } from './part-file.ts'
import { emptyReceived, receiveOnce, startOver } from './receive-once.ts'

export interface ReceiveOptions {
  /** The final name, for messages. */
  readonly file: string
  readonly silenceMs: number
  readonly pauseMs: number
  readonly signal: AbortSignal
  readonly onBytes: (bytes: number) => void
}

const maxFailures = 8
const maxRestarts = 3

/**
 * Brings the artifact into an empty part file: goes on behind the last byte when a connection breaks,
 * with a fresh link when one has ended, and from zero when the pieces would not fit together. When it
 * returns, size and SHA-256 are those of the record.
 * @throws ClientError: DOWNLOAD_FAILED, DOWNLOAD_CORRUPT, of the file, or of an export that has no
 * artifact any more; the signal's reason
 */
export async function receive(
  { link, part }: { readonly link: ArtifactLink; readonly part: PartFile },
  { file, silenceMs, pauseMs, signal, onBytes }: ReceiveOptions,
): Promise<void> {
  const received = emptyReceived(part)
  let history: History = { failures: 0, restarts: 0, refused: false, mayResume: true }
  for (;;) {
    signal.throwIfAborted()
    const mayStartOver = history.restarts < maxRestarts
    const once = { silenceMs, mayStartOver, signal, onBytes }
    const { setback, newBytes, startedOver } = await receiveOnce({ link, received }, once)
    if (setback === undefined) return
    if (startedOver) history = { ...history, restarts: history.restarts + 1 }
    const ended = { setback, newBytes, bytes: part.bytes, resumed: received.resumed }
    const next = decideNext(ended, history, { maxFailures, maxRestarts, pauseMs })
    if (next.go === 'fail') {
      const cause = setback.kind === 'broken' ? setback.cause : undefined
      throw failure(next, { file, received: part.bytes, link, cause })
    }
    history = next.history
    if (next.go === 'fresh-link') {
      link.refused()
      continue
    }
    if (next.go === 'from-zero') await startOver(received)
    await sleep(next.pauseMs, undefined, { signal })
  }
}

interface FailureFacts {
  readonly file: string
  /** Bytes. */
  readonly received: number
  readonly link: ArtifactLink
  readonly cause: unknown
}

function failure(
  { code, reason }: Next & { readonly go: 'fail' },
  { file, received, link, cause }: FailureFacts,
): ClientError {
  const { bytes, sha256 } = link.artifact
  if (code === 'DOWNLOAD_CORRUPT') {
    const message = `${reason}, but the artifact has ${bytes} with SHA-256 ${sha256}.`
    return new ClientError(code, message, {
      retryable: true,
      hint: 'Download it again; if it happens again, the object in the bucket was changed.',
    })
  }
  const message = `The download of ${file} failed after ${received} of ${bytes} bytes: ${reason}.`
  return new ClientError(code, message, {
    cause,
    retryable: true,
    hint: `Nothing was kept. Check the way to the object store, then run \`longhaul download ${link.id}\`.`,
  })
}
