import { chmod, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { lastingPort } from './lasting-port.ts'
import type { Release } from './release.ts'
import { findProgram } from './find-program.ts'
import { createProcessFolder } from './process-folder.ts'
import { until } from './until.ts'

const program = findProgram('pgbouncer')

/** Why there is none; undefined where it is. */
export const missingPgbouncer =
  program === undefined ? 'there is no pgbouncer (Debian: apt-get install pgbouncer)' : undefined

/**
 * A pooler in transaction mode in front of a database: each transaction may get another of its few server
 * connections, which it gives out in turn.
 * @returns the URL of the database through it
 */
export async function startPgbouncer(databaseUrl: string, release: Release): Promise<string> {
  const url = new URL(databaseUrl)
  const folder = await createProcessFolder('longhaul-pgbouncer-')
  release(() => folder.close())
  const port = await lastingPort()
  const name = url.pathname.slice(1)
  const file = join(folder.path, 'pgbouncer.ini')
  await writeFile(
    file,
    `[databases]
${name} = host=${url.hostname} port=${url.port} user=${url.username} password=${url.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_round_robin = 1
`,
  )
  // it runs as nobody when we are root
  await chmod(file, 0o644)
  const { ended } = folder.start(program ?? 'pgbouncer', [file])
  let how: string | undefined
  void ended.then((end) => (how = end))
  await until(async () => how !== undefined || (await accepts(port)))
  if (how !== undefined) throw new Error(`${how}: ${await folder.lastWords()}`)
  url.host = `127.0.0.1:${port}`
  return url.href
}

const accepts = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => socket.destroy())
    socket.once('error', () => undefined)
    socket.once('close', (failed) => resolve(!failed))
  })
