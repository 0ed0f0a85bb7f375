import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StackError } from '../../errors.ts'
import { abortAfter } from '../../runtime/abort.ts'
import { folderAt, makeFolder, readRecord, writeRecord } from './folder.ts'

/*
 * Two servers over one folder would remove each other's unfinished uploads as rubbish. A server
 * therefore leaves its address and a name made up for this run in the folder, and gives that name in every
 * answer. Unlike a process id, the name cannot be taken for that of somebody else after a crash.
 */

interface Claim {
  readonly url: string
  readonly instance: string
}

/** The header that carries the name of the run. */
export const instanceHeader = 'x-amz-id-2'

const answerMs = 1_000

/** Throws a StackError while another server answers for the folder; one that is just ending is waited for. */
export async function assertUnclaimed(
  dir: string,
  { patienceMs = 3_000 }: { patienceMs?: number } = {},
): Promise<void> {
  const claim = readRecord(claimPath(dir)) as Claim | undefined
  if (claim === undefined) return
  const endsAt = Date.now() + patienceMs
  while (await isAlive(claim)) {
    if (Date.now() >= endsAt) {
      throw new StackError(`Another embedded S3 server, at ${claim.url}, works on ${dir}.`, {
        hint: 'Stop the other stack, or give this one a folder of its own.',
      })
    }
    await sleep(100)
  }
}

export function claimFolder(dir: string, claim: Claim): void {
  const folder = folderAt(dir)
  makeFolder(folder.temporary)
  writeRecord(folder, claimPath(dir), claim)
}

export function releaseFolder(dir: string): void {
  rmSync(claimPath(dir), { force: true })
}

async function isAlive({ url, instance }: Claim): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: abortAfter(answerMs) })
    await answer.body?.cancel()
    return answer.headers.get(instanceHeader) === instance
  } catch {
    return false
  }
}

function claimPath(dir: string): string {
  return join(dir, 'server.json')
}
