import { execFile, execFileSync } from 'node:child_process'
import { promisify } from 'node:util'
import pg from 'pg'

const options = { maxBuffer: 1024 ** 3, encoding: 'utf8' } as const

/** Debian's postgresql-client; a bare machine has none. */
export const hasPsql = (() => {
  try {
    execFileSync('psql', ['--version'])
    return true
  } catch {
    return false
  }
})()

/**
 * The one value of one statement, by psql: a client that shares no code with ours. Where there is
 * none, by node-postgres, after a line on stderr.
 */
export async function psql(databaseUrl: string, sql: string): Promise<string> {
  if (hasPsql) {
    const args = ['--no-psqlrc', '-At', '-v', 'ON_ERROR_STOP=1', '-d', databaseUrl, '-c', sql]
    const { stdout } = await promisify(execFile)('psql', args, options)
    // psql ends its output with a line feed of its own
    return stdout.slice(0, -1)
  }
  process.stderr.write('psql is not installed: node-postgres asks in its place\n')
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' })
    return rows[0]![0]
  } finally {
    await client.end()
  }
}
