import { basename } from 'node:path'
import { InterruptedError } from '../errors.ts'
import type { ExportView } from '../http/schemas.ts'
import { systemClock } from '../runtime/clock.ts'
import { createArtifactLink, type Artifact } from './artifact-link.ts'
import { createPartFile } from './part-file.ts'
import { receive } from './receive.ts'
import { unpack, type UnpackOptions } from './unpack.ts'

export interface DownloadOptions {
  /**
   * Final name of the file; it appears there only whole and verified. Default: the artifact's own
   * name, in the working folder.
   */
  readonly file?: string | undefined
  /**
   * Unpacks an artifact that is stored as gzip once it is verified; the default name then loses its
   * `.gz`. Changes nothing for any other. Default false.
   */
  readonly gunzip?: boolean | undefined
  /**
   * Stops the download, and removes what it wrote. A process that a signal of the system ends
   * outright leaves a `.part` file beside the final name.
   */
  readonly signal?: AbortSignal | undefined
  /** Called with every piece. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined
  /** A connection on which no byte comes for so long counts as broken, ms. Default 30 s. */
  readonly silenceMs?: number | undefined
  /** Pause after the first failure, ms; each one in a row doubles it. Default half a second. */
  readonly pauseMs?: number | undefined
}

export interface DownloadProgress {
  /** Here so far; begins at zero again when the download has to. */
  readonly bytes: number
  readonly totalBytes: number
}

/** Size and digest are those of the stored object, also when the file is what was unpacked of it. */
export interface Downloaded {
  readonly file: string
  /** Of the file, also where it was unpacked. */
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

/**
 * Fetches the artifact of a completed export, goes on after broken connections, checks size and
 * SHA-256, and only then gives the file its name. Whatever goes wrong leaves no half file behind, and
 * an older file of that name as it was.
 * @param askStatus asks the server for the export, with a fresh link
 * @throws ClientError: of the server or of the export's state, DOWNLOAD_FAILED, DOWNLOAD_CORRUPT,
 * DISK_FULL, FILE_NOT_WRITABLE; InterruptedError when the signal was aborted
 */
export async function download(
  askStatus: (signal: AbortSignal) => Promise<ExportView>,
  { signal = new AbortController().signal, ...options }: DownloadOptions,
): Promise<Downloaded> {
  try {
    return await fetchVerified(() => askStatus(signal), { ...options, signal })
  } catch (error) {
    if (!signal.aborted) throw error
    throw new InterruptedError('The download was stopped; nothing was kept.', { cause: error })
  }
}

async function fetchVerified(
  askStatus: () => Promise<ExportView>,
  options: DownloadOptions & { readonly signal: AbortSignal },
): Promise<Downloaded> {
  const { gunzip = false, signal, onProgress, silenceMs = 30_000, pauseMs = 500 } = options
  const link = await createArtifactLink({ askStatus, clock: systemClock })
  const { artifact } = link
  const { bytes, sha256, raw_bytes: rawBytes, raw_sha256: rawSha256 } = artifact
  const unpacks = gunzip && artifact.content_type === 'application/gzip'
  const file = options.file ?? ownName(artifact, unpacks)
  const part = await createPartFile(file, bytes)
  try {
    const onBytes = (received: number) => onProgress?.({ bytes: received, totalBytes: bytes })
    await receive({ link, part }, { file, silenceMs, pauseMs, signal, onBytes })
    if (!unpacks) {
      await part.commit()
      return { file, bytes, sha256 }
    }
    await commitUnpacked(part.path, file, { signal, sha256: rawSha256 })
    return { file, bytes: rawBytes, sha256: rawSha256 }
  } finally {
    await part.discard()
  }
}

async function commitUnpacked(path: string, file: string, options: UnpackOptions): Promise<void> {
  const unpacked = await createPartFile(file)
  try {
    await unpack(path, unpacked, options)
    await unpacked.commit()
  } finally {
    await unpacked.discard()
  }
}

function ownName({ key }: Artifact, unpacks: boolean): string {
  const name = basename(key)
  return unpacks ? name.replace(/\.gz$/, '') : name
}
