import { isRoot } from '../../src/embedded/data-folder.ts'
import { systemFolders, tryBinaries } from '../../src/embedded/postgres-binaries.ts'
import { findNobody } from '../../src/embedded/postgres-home.ts'
import { oldestMajor } from '../../src/postgres/server-version.ts'

/** A PostgreSQL that the tests can start. */
export interface InstalledPostgres {
  /** With `initdb` and `postgres`. */
  readonly folder: string
  readonly major: number
  /** By LONGHAUL_TEST_POSTGRES. */
  readonly named: boolean
}

/** What the tests are to run on besides the npm package: what LONGHAUL_TEST_POSTGRES names, else the system's. */
export function findPostgresToTest(): Promise<readonly InstalledPostgres[]> {
  const named = process.env['LONGHAUL_TEST_POSTGRES'] ?? ''
  return named === '' ? findSystemPostgres() : findNamedPostgres(named.split(':'))
}

/** The system's PostgreSQL: one of each major version that is supported. */
export async function findSystemPostgres(): Promise<readonly InstalledPostgres[]> {
  const found = new Map<number, InstalledPostgres>()
  for await (const folder of systemFolders()) {
    const candidate = await inspect(folder)
    if (typeof candidate === 'string' || found.has(candidate.major)) continue
    found.set(candidate.major, { ...candidate, named: false })
  }
  return [...found.values()]
}

/** Throws when one of them is none that is supported: a misspelt name would test nothing. */
function findNamedPostgres(folders: readonly string[]): Promise<readonly InstalledPostgres[]> {
  return Promise.all(
    folders.map(async (folder) => {
      const candidate = await inspect(folder)
      if (typeof candidate !== 'string') return { ...candidate, named: true }
      throw new TypeError(`LONGHAUL_TEST_POSTGRES: ${folder}: ${candidate}`)
    }),
  )
}

/** What a folder has, or why it will not do; seen as the user that the database runs as. */
async function inspect(folder: string): Promise<Omit<InstalledPostgres, 'named'> | string> {
  const binaries = await tryBinaries(folder, isRoot() ? await findNobody() : undefined)
  if (typeof binaries === 'string') return binaries
  const { major, version } = binaries
  if (major >= oldestMajor) return { folder, major }
  return `expected PostgreSQL ${oldestMajor} or newer, got ${version}`
}

export const howToInstallPostgres = `there is no PostgreSQL ${oldestMajor} or newer (Debian: apt-get install postgresql)`
