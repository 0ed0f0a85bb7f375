import { constants } from 'node:os'
import { ClientError } from '../errors.ts'

/** Why a file does not take the bytes, by the system's code. */
const noRoom: Readonly<Record<string, string>> = {
  ENOSPC: 'There is no room left',
  EDQUOT: "The user's quota leaves no room",
  EFBIG: 'The file system takes no file so large',
}

/**
 * What the file system said as ours: DISK_FULL when the bytes found no room, else FILE_NOT_WRITABLE.
 * @param needs how many bytes the file takes, for a person: `1000 bytes`
 */
export function fileError(error: unknown, file: string, needs: string): unknown {
  if (!(error instanceof Error) || error instanceof ClientError) return error
  const { code, errno } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  // Node has no name for this one
  const reason = noRoom[errno === -constants.errno.EDQUOT ? 'EDQUOT' : code]
  if (reason !== undefined) {
    return new ClientError('DISK_FULL', `${reason} for ${file}, which takes ${needs}.`, {
      cause: error,
      hint: 'Nothing was kept. Free some space, or choose another folder with --output.',
    })
  }
  return new ClientError('FILE_NOT_WRITABLE', `Cannot write ${file}: ${error.message}.`, {
    cause: error,
    hint: 'Choose another name with --output.',
  })
}
