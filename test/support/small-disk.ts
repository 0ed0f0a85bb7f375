import { execFile } from 'node:child_process'
import { mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Release } from './release.ts'

const run = promisify(execFile)

/** A folder on a file system of its own of 1 MiB; undefined where this process may not mount one. */
export async function createSmallDisk(release: Release): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'longhaul-small-disk-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'longhaul-test', folder])
  } catch {
    await rmdir(folder)
    return undefined
  }
  release(async () => {
    await run('umount', [folder])
    await rmdir(folder)
  })
  return folder
}

/** Whether {@link createSmallDisk} can make one here. */
export async function canMount(): Promise<boolean> {
  const releases: (() => Promise<void>)[] = []
  const folder = await createSmallDisk((release) => void releases.push(release))
  for (const release of releases) await release()
  return folder !== undefined
}
