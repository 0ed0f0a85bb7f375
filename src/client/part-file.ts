import { randomBytes } from 'node:crypto'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { ClientError } from '../errors.ts'
import { removeAtExit } from '../runtime/remove-at-exit.ts'
import { fileError } from './file-error.ts'

/**
 * What is written before it has its final name: a file beside it, for its owner alone. All members
 * throw ClientErrors: DISK_FULL or FILE_NOT_WRITABLE.
 */
export interface PartFile {
  readonly path: string
  /** Written so far. */
  readonly bytes: number
  append(chunk: Uint8Array): Promise<void>
  /** Drops what was written. */
  restart(): Promise<void>
  /** Brings the bytes to the disk, and gives the file its name, in the place of one that has it. */
  commit(): Promise<void>
  /** Removes it, unless it has its name; safe to call again. */
  discard(): Promise<void>
}

/**
 * Makes an empty part file for `file`.
 * @param totalBytes that it will take; undefined when nobody knows yet
 * @throws ClientError FILE_NOT_WRITABLE, also when the name is that of something other than a file
 */
export async function createPartFile(file: string, totalBytes?: number): Promise<PartFile> {
  let bytes = 0
  async function writing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      const needs = totalBytes === undefined ? `more than ${bytes} bytes` : `${totalBytes} bytes`
      throw fileError(error, file, needs)
    }
  }
  await writing(assertReplaceable(file))

  // what a link points to is replaced, not the link
  const target = await realpath(file).catch(() => file)
  const path = `${target}.${randomBytes(4).toString('hex')}.part`
  const forget = removeAtExit(path)
  const handle = await writing(open(path, 'wx', 0o600)).catch((error: unknown) => {
    forget()
    throw error
  })

  async function append(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length;) {
      const { bytesWritten } = await handle.write(chunk, done, chunk.length - done, bytes)
      done += bytesWritten
      bytes += bytesWritten
    }
  }

  async function commit(): Promise<void> {
    await handle.sync()
    await handle.close()
    await rename(path, target)
    forget()
  }

  return {
    path,
    get bytes() {
      return bytes
    },
    append: (chunk) => writing(append(chunk)),
    async restart() {
      await writing(handle.truncate(0))
      bytes = 0
    },
    commit: () => writing(commit()),
    async discard() {
      await handle.close().catch(() => undefined)
      await rm(path, { force: true })
      forget()
    },
  }
}

/** A rename would put the file in the place of a device, and fail on a folder only at the end. */
async function assertReplaceable(file: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined || found.isFile()) return
  const what = found.isDirectory() ? 'a folder' : 'no ordinary file'
  throw new ClientError('FILE_NOT_WRITABLE', `Cannot write ${file}: it is ${what}.`, {
    hint: 'Choose another name with --output.',
  })
}
