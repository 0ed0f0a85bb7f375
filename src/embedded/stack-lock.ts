import { randomBytes } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StackError } from '../errors.ts'
import { readOptionalFile, writePrivateFile } from './private-file.ts'
import { processStamp } from './processes.ts'

const LOCK_NAME = /^stack-(\d+)-[0-9a-f]+\.lock$/
const TRIES = 4

/** The right to use a data folder. */
export interface StackLock {
  /** Idempotent. */
  release(): Promise<void>
}

/**
 * Takes the data folder for this process. The lock of a process that has ended counts for nothing.
 *
 * Everybody writes a lock of their own *before* looking for others, so two never both go on; a lock's
 * name is used once, so removing a dead one can hit nobody else. Two that start in the same instant may
 * see each other and both step back: hence the few tries, at random distances.
 *
 * Throws StackError that names the process which has it.
 */
export async function acquireStackLock(dataDir: string): Promise<StackLock> {
  const stamp = await processStamp(process.pid)
  for (let left = TRIES; ; left -= 1) {
    const name = `stack-${process.pid}-${randomBytes(6).toString('hex')}.lock`
    const path = join(dataDir, name)
    await writePrivateFile(path, stamp ?? '')
    const holder = await findHolder(dataDir, name)
    if (holder === undefined) return { release: () => rm(path, { force: true }) }
    await rm(path, { force: true })
    if (left === 1) {
      throw new StackError(`The data folder ${dataDir} is in use by process ${holder}.`, {
        hint: 'Stop that process first, or choose another data folder.',
      })
    }
    await sleep(20 + Math.random() * 60)
  }
}

/** The process behind another lock, if it still runs; removes the locks of those that do not. */
async function findHolder(dataDir: string, own: string): Promise<number | undefined> {
  for (const name of await readdir(dataDir)) {
    const pid = Number(LOCK_NAME.exec(name)?.[1])
    if (Number.isNaN(pid) || name === own) continue
    const path = join(dataDir, name)
    const [held, running] = [await readOptionalFile(path), await processStamp(pid)]
    if (held === undefined) continue
    if (running !== undefined && running === held) return pid
    await rm(path, { force: true })
  }
  return undefined
}
