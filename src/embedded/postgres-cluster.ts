import { randomBytes } from 'node:crypto'
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { StackError } from '../errors.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { UNFINISHED, type PostgresHome } from './postgres-home.ts'
import { readOptionalFile } from './private-file.ts'
import { runTool, type ToolResult } from './run-tool.ts'

/** Superuser and database, both. */
export const POSTGRES_NAME = 'longhaul'

export interface ClusterOptions {
  readonly password: string
  /** False skips waiting for the disk. */
  readonly durable: boolean
}

/**
 * Makes the database files unless they are there. They are made under another name and renamed: a
 * kill in the middle leaves no half database, only a folder that the next start removes.
 *
 * Throws StackError when they cannot be made, or were made by another major version.
 */
export async function ensureCluster(
  home: PostgresHome,
  binaries: PostgresBinaries,
  options: ClusterOptions,
): Promise<void> {
  const madeBy = (await readOptionalFile(join(home.data, 'PG_VERSION')))?.trim()
  if (madeBy === undefined) {
    await makeCluster(home, binaries, options)
  } else if (madeBy !== String(binaries.major)) {
    throw new StackError(
      `The database in ${home.data} was made by PostgreSQL ${madeBy}; this is ${binaries.version}.`,
      {
        hint: `Install PostgreSQL ${madeBy}, or delete the data folder to start with an empty one.`,
      },
    )
  }
}

async function makeCluster(
  home: PostgresHome,
  binaries: PostgresBinaries,
  { password, durable }: ClusterOptions,
): Promise<void> {
  const suffix = randomBytes(6).toString('hex')
  const fresh = join(home.path, `${UNFINISHED}data-${suffix}`)
  const passwordFile = join(home.path, `${UNFINISHED}password-${suffix}`)
  // the working folder tells a later start whose process it is, should we be killed now
  const tool = { runAs: home.runAs, cwd: fresh }
  try {
    await mkdir(fresh, { mode: 0o700 })
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' })
    if (home.runAs !== undefined) {
      await chown(fresh, home.runAs.uid, home.runAs.gid)
      await chown(passwordFile, home.runAs.uid, home.runAs.gid)
    }
    const initdb = [
      ['--pgdata', fresh, '--username', POSTGRES_NAME, '--pwfile', passwordFile],
      ['--auth', 'scram-sha-256', '--encoding', 'UTF8', ...localeOptions(binaries.major)],
      durable ? [] : ['--no-sync'],
    ]
    assertDone('initdb', await runTool(binaries.initdb, initdb.flat(), tool))
    const single = ['--single', '-c', 'exit_on_error=on', ...(durable ? [] : ['-F'])]
    assertDone(
      'create database',
      await runTool(binaries.postgres, [...single, '-D', fresh, 'postgres'], {
        ...tool,
        input: `create database ${POSTGRES_NAME}\n`,
      }),
    )
    await rename(fresh, home.data)
  } finally {
    await rm(passwordFile, { force: true })
    await rm(fresh, { recursive: true, force: true })
  }
}

/** The same order of text on every machine; the builtin provider also needs no locale installed. */
function localeOptions(major: number): string[] {
  if (major < 17) return ['--locale', 'C.UTF-8']
  return ['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8']
}

function assertDone(what: string, { code, output }: ToolResult): void {
  if (code === 0) return
  if (output.includes('could not look up effective user ID')) {
    throw new StackError(
      `PostgreSQL cannot make a database as a user without a name: ${output.trim()}`,
      {
        hint: 'Start as a user that /etc/passwd lists, or set DATABASE_URL to a database of your own.',
      },
    )
  }
  const how = code === null ? 'was stopped' : `ended with code ${code}`
  throw new StackError(`The embedded PostgreSQL could not be set up: ${what} ${how}:\n${output}`, {
    hint: 'See what it says above; free disk space and file permissions are the usual causes.',
  })
}
