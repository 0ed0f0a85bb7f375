import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { StackError } from '../errors.ts'
import { openDataFolder } from './data-folder.ts'
import { findPostgresHome, removePostgresHome } from './postgres-home.ts'
import { acquireStackLock } from './stack-lock.ts'
import { stopStalePostgres } from './stale-postgres.ts'

/** The last to go: it says that the folder is ours, should the removal be interrupted. */
const MARK = 'credentials.json'

/**
 * Removes a data folder with everything in it, and the database's folder elsewhere if it has one.
 * Nothing happens when there is no such folder.
 *
 * Throws StackError when a stack runs on it, or when it does not look like a data folder.
 */
export async function removeStackData(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined)) === undefined) return
  const dataDir = await openDataFolder(folder)
  const names = await readdir(dataDir)
  if (names.length > 0 && !names.includes(MARK)) {
    throw new StackError(`${dataDir} is not a data folder of Longhaul; nothing was removed.`, {
      hint: 'Look at what is in there, and remove it by hand.',
    })
  }
  const lock = await acquireStackLock(dataDir)
  try {
    const elsewhere = await findPostgresHome(dataDir)
    for (const path of [join(dataDir, 'postgres'), elsewhere]) {
      if (path === undefined) continue
      const home = { path, data: join(path, 'data'), runAs: undefined }
      await stopStalePostgres(home, () => undefined)
    }
    await removePostgresHome(dataDir)
    for (const name of await readdir(dataDir)) {
      if (name !== MARK) await remove(join(dataDir, name))
    }
    await remove(dataDir)
  } finally {
    await lock.release()
  }
}

function remove(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true, maxRetries: 5 })
}
