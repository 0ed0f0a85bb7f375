import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { lastingPort } from './lasting-port.ts'
import { cephSettings } from './ceph-settings.ts'
import { findProgram } from './find-program.ts'
import { createProcessFolder, type ProcessFolder } from './process-folder.ts'
import { until } from './until.ts'

const programs = ['ceph', 'ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin'] as const

export interface S3Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A Ceph with its S3 gateway. */
export interface Radosgw {
  readonly endpoint: string
  /** Ends every process, and removes what they kept. */
  stop(): Promise<void>
}

/** Why there can be no radosgw on this machine; undefined where there can. */
export function missingForRadosgw(): string | undefined {
  if (process.platform !== 'linux') return 'radosgw runs on Linux only'
  const missing = programs.filter((name) => findProgram(name) === undefined)
  if (missing.length === 0) return undefined
  return `radosgw cannot be started without ${missing.join(', ')} (Debian: apt-get install radosgw ceph-mon ceph-osd ceph-common)`
}

/**
 * Starts a Ceph of our own, with one user who has these keys. Takes about 3 s. Its processes and its
 * folder end with `stop`, with a start that fails, and with this process, however it ends.
 */
export async function startRadosgw(keys: S3Keys): Promise<Radosgw> {
  const folder = await createProcessFolder('longhaul-radosgw-')
  try {
    const endpoint = await startCeph(folder, keys)
    return { endpoint, stop: () => folder.close() }
  } catch (error) {
    const words = await folder.lastWords()
    await folder.close()
    throw new TypeError(`${String(error)}\n${words}`, { cause: error })
  }
}

async function startCeph(folder: ProcessFolder, keys: S3Keys): Promise<string> {
  const ports = { monitorPort: await lastingPort(), port: await lastingPort() }
  const file = join(folder.path, 'ceph.conf')
  await writeFile(file, cephSettings({ folder: folder.path, ...ports }))

  const broken: Promise<never>[] = []
  const run = (name: (typeof programs)[number], ...args: string[]) =>
    Promise.race([folder.run(findProgram(name) ?? name, ['-c', file, ...args]), ...broken])
  const start = (name: (typeof programs)[number], ...args: string[]) => {
    const { ended } = folder.start(findProgram(name) ?? name, ['-c', file, '-f', ...args])
    const failure = ended.then((how) => Promise.reject(new TypeError(how)))
    // looked at only while starting: later, the tests see that their store is gone
    failure.catch(() => undefined)
    broken.push(failure)
  }

  await run('ceph-mon', '--mkfs', '-i', 'a')
  start('ceph-mon', '-i', 'a')
  const uuid = randomUUID()
  await run('ceph', '--connect-timeout', '30', 'osd', 'new', uuid, '0')
  await folder.run('mkdir', ['osd', 'rgw'])
  await run('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', uuid)
  start('ceph-osd', '-i', '0')
  // that others on this machine can see the keys does no harm: they open nothing but the stores of this run
  const user = ['--uid', 'test', '--display-name', 'test']
  const { accessKeyId, secretAccessKey } = keys
  const access = ['--access-key', accessKeyId, '--secret-key', secretAccessKey]
  await run('radosgw-admin', 'user', 'create', ...user, ...access)
  start('radosgw', '-n', 'client.rgw')

  const endpoint = `http://127.0.0.1:${ports.port}`
  const answers = until(() => answersTo(endpoint), { what: 'radosgw to answer' })
  await Promise.race([answers, ...broken])
  return endpoint
}

const answersTo = (endpoint: string) =>
  fetch(endpoint).then(
    ({ ok }) => ok,
    () => false,
  )
