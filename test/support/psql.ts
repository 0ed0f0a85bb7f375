import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { findProgram } from './find-program.ts'

const options = { maxBuffer: 1024 ** 3, encoding: 'utf8' } as const
const program = findProgram('psql')

/** Why there is none; undefined where it is. */
export const missingPsql =
  program === undefined ? 'there is no psql (Debian: apt-get install postgresql-client)' : undefined

/** The one value of one statement, by psql: a client that shares no code with ours. */
export async function psql(databaseUrl: string, sql: string): Promise<string> {
  const args = ['--no-psqlrc', '-At', '-v', 'ON_ERROR_STOP=1', '-d', databaseUrl, '-c', sql]
  const { stdout } = await promisify(execFile)(program ?? 'psql', args, options)
  // psql ends its output with a line feed of its own
  return stdout.slice(0, -1)
}
