import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findProgram } from './find-program.ts'

/** How to run a Redis or Valkey server. */
export interface RedisProgram {
  readonly file: string
  /** Of the libraries beside it; undefined where the system has them. */
  readonly libraries: string | undefined
}

/** What Debian's server needs that not every Debian has. */
const packages = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']

const cache = fileURLToPath(new URL('../../node_modules/.cache/longhaul-redis', import.meta.url))

/**
 * The system's Redis or Valkey; else Debian's, unpacked without root into a folder of node_modules.
 * @returns undefined where there is neither
 */
export function findRedis(): RedisProgram | undefined {
  const file = findProgram('redis-server') ?? findProgram('valkey-server')
  if (file !== undefined) return { file, libraries: undefined }
  if (!existsSync(cache) && !unpackDebian()) return undefined
  const libraries = readdirSync(join(cache, 'usr/lib'))
    .map((name) => join(cache, 'usr/lib', name))
    .filter((path) => existsSync(join(path, 'liblzf.so.1')))
  return { file: join(cache, 'usr/bin/redis-server'), libraries: libraries.join(':') }
}

export const howToInstallRedis =
  'there is no redis-server or valkey-server (Debian: apt-get install redis-server)'

function unpackDebian(): boolean {
  if (findProgram('apt-get') === undefined || findProgram('dpkg') === undefined) return false
  const folder = mkdtempSync(join(tmpdir(), 'longhaul-redis-'))
  try {
    const options = { cwd: folder, stdio: 'ignore', timeout: 60_000 } as const
    execFileSync('apt-get', ['-qq', 'download', ...packages], options)
    const files = readdirSync(folder).filter((name) => name.endsWith('.deb'))
    for (const file of files) execFileSync('dpkg', ['-x', file, 'root'], options)
    mkdirSync(dirname(cache), { recursive: true })
    execFileSync('cp', ['-R', join(folder, 'root'), `${cache}.new`], options)
    renameSync(`${cache}.new`, cache)
    return true
  } catch {
    // no network, no lists of packages, or no Debian at all
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
    rmSync(`${cache}.new`, { recursive: true, force: true })
  }
}
