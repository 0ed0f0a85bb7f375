import { chmod, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createProcessFolder } from './process-folder.ts'
import { findRedis, howToInstallRedis } from './redis-program.ts'
import { until } from './until.ts'

export interface RedisServer {
  readonly port: number
  readonly pid: number
  /** Resolves when it ends without having been stopped, with how it did. */
  readonly failed: Promise<Error>
  /** Ends it, with all that it knew. */
  stop(): Promise<void>
}

export interface RedisFiles {
  /** Of files that it finds in its folder; `redis.conf` is read as its configuration. */
  readonly [name: string]: string
}

/**
 * Starts a Redis or Valkey that keeps nothing on disk.
 * @param options of its command line, besides
 */
export async function startRedis(
  port: number,
  options: readonly string[] = [],
  files: RedisFiles = {},
): Promise<RedisServer> {
  const program = findRedis()
  if (program === undefined) throw new TypeError(howToInstallRedis)
  const folder = await createProcessFolder('longhaul-redis-')
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder.path, name), text)
    // it runs as nobody when we are root
    await chmod(join(folder.path, name), 0o666)
  }
  const config = 'redis.conf' in files ? ['redis.conf'] : []
  const variables = program.libraries === undefined ? [] : [`LD_LIBRARY_PATH=${program.libraries}`]
  const { pid, ended } = folder.start('/usr/bin/env', [
    ...[...variables, program.file, ...config, '--bind', '127.0.0.1', '--port', String(port)],
    // a title would overwrite the environment, by which its folder finds it
    ...['--save', '', '--appendonly', 'no', '--set-proc-title', 'no', ...options],
  ])
  let how: string | undefined
  let stopped = false
  const failed = new Promise<Error>((resolve) => {
    void ended.then((end) => {
      how = `Redis: ${end}`
      if (!stopped) resolve(new Error(how))
    })
  })
  try {
    await until(async () => how !== undefined || (await answersPing(port)))
    if (how !== undefined) throw new Error(`${how}: ${await folder.lastWords()}`)
  } catch (error) {
    await folder.close()
    throw error
  }
  return {
    ...{ port, pid, failed },
    stop() {
      stopped = true
      return folder.close()
    },
  }
}

/** It may want a password first, or a protocol with TLS; any word shows that it is there. */
const answersPing = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => socket.write('PING\r\n'))
    socket.once('data', () => {
      resolve(true)
      socket.destroy()
    })
    socket.once('error', () => undefined)
    socket.once('close', () => resolve(false))
  })
