import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { ClientError, InterruptedError } from '../errors.ts'
import type { ExportView } from '../http/schemas.ts'

export interface DownloadOptions {
  /** Final name of the file; it appears there only whole and verified. */
  readonly file: string
  readonly signal?: AbortSignal
  /** Called with the bytes received so far. */
  readonly onProgress?: (bytes: number) => void
}

export interface Downloaded {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

/**
 * Fetches the artifact of a completed export by its link, checks size and SHA-256, and only then
 * gives the file its name. Whatever goes wrong leaves no half file behind.
 * @throws ClientError
 */
export async function download(
  { id, state, artifact }: ExportView,
  { file, signal, onProgress }: DownloadOptions,
): Promise<Downloaded> {
  if (artifact === undefined) {
    throw new ClientError(
      codeOfState[state] ?? 'EXPORT_NOT_READY',
      `Export ${id} is ${state}: there is nothing to download.`,
    )
  }
  const partial = `${file}.${process.pid}.part`
  try {
    const received = await receive(artifact.url, partial, { signal, onProgress })
    if (received.bytes !== artifact.bytes || received.sha256 !== artifact.sha256) {
      throw new ClientError(
        'DOWNLOAD_CORRUPT',
        `The download has ${received.bytes} bytes with SHA-256 ${received.sha256}, ` +
          `but the artifact has ${artifact.bytes} with ${artifact.sha256}.`,
        {
          retryable: true,
          hint: 'Download it again; if it happens again, the object in the bucket was changed.',
        },
      )
    }
    await rename(partial, file)
    return { file, ...received }
  } catch (error) {
    await rm(partial, { force: true })
    throw translate(error, file)
  }
}

async function receive(
  url: string,
  file: string,
  {
    signal,
    onProgress,
  }: {
    readonly signal: AbortSignal | undefined
    readonly onProgress: DownloadOptions['onProgress'] | undefined
  },
): Promise<{ bytes: number; sha256: string }> {
  const response = await fetch(url, signal === undefined ? {} : { signal })
  if (!response.ok || response.body === null) {
    await response.body?.cancel()
    throw new ClientError(
      'DOWNLOAD_FAILED',
      `The object store answered the link with ${response.status}.`,
      {
        retryable: true,
        hint: 'Links end; ask for a fresh one by running the command again.',
      },
    )
  }
  const hash = createHash('sha256')
  let bytes = 0
  const handle = await open(file, 'wx', 0o600)
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      hash.update(chunk)
      bytes += chunk.length
      await handle.writeFile(chunk)
      onProgress?.(bytes)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** The codes that the server has for the artifact of such an export. */
const codeOfState: Readonly<Partial<Record<ExportView['state'], string>>> = {
  expired: 'EXPORT_EXPIRED',
  failed: 'EXPORT_GONE',
  canceled: 'EXPORT_GONE',
}

/** What the file system or the network said, as ours. */
function translate(error: unknown, file: string): unknown {
  if (error instanceof ClientError || !(error instanceof Error)) return error
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC') {
    return new ClientError('DISK_FULL', `There is no room left for ${file}; nothing was kept.`, {
      cause: error,
      hint: 'Free some space, or choose another folder with --output.',
    })
  }
  if (code !== undefined && /^E(ACCES|NOENT|ISDIR|NOTDIR|ROFS|PERM|EXIST)$/.test(code)) {
    return new ClientError('FILE_NOT_WRITABLE', `Cannot write ${file}: ${error.message}.`, {
      cause: error,
      hint: 'Choose another name with --output.',
    })
  }
  if (error.name === 'AbortError') {
    return new InterruptedError(`The download of ${file} was stopped; nothing was kept.`)
  }
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : ''
  return new ClientError('DOWNLOAD_FAILED', `The download broke off (${error.message}${cause}).`, {
    cause: error,
    retryable: true,
    hint: 'Run the command again.',
  })
}
