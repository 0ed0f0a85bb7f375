import { randomBytes } from 'node:crypto'
import { chmod, mkdir, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { StackError } from '../errors.ts'
import { readOptionalFile, writePrivateFile } from './private-file.ts'

/** Made once and kept with the data: they are what the data can be reached with. */
export interface Credentials {
  readonly postgresPassword: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** The ports of the last start, so that connection strings survive a restart. */
export interface Ports {
  readonly postgres?: number
  readonly s3?: number
}

/** True when this process has the rights of root; false where there is no such thing. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/**
 * Makes the folder if there is none and returns its real path. A new one is closed to everybody else;
 * as root, whose database runs as another user, they may pass through it but not list it (everything
 * inside is closed in itself). The mode of a folder that was there before is left as it is.
 * Throws StackError when it belongs to another user, or may be changed by everybody.
 */
export async function openDataFolder(folder: string): Promise<string> {
  const privateMode = isRoot() ? 0o711 : 0o700
  const created = await mkdir(resolve(folder), { recursive: true, mode: privateMode })
  const path = await realpath(folder)
  if (created !== undefined) await chmod(path, privateMode)
  const { uid, mode } = await stat(path)
  if (process.getuid !== undefined && uid !== process.getuid()) {
    throw new StackError(`The data folder ${path} belongs to another user (id ${uid}).`, {
      hint: 'Start as that user, or choose another data folder.',
    })
  }
  if (process.getuid !== undefined && (mode & 0o002) !== 0) {
    throw new StackError(`The data folder ${path} may be changed by everybody.`, {
      hint: `Choose another data folder, or run: chmod o-w '${path}'`,
    })
  }
  return path
}

/** Reads the credentials of a data folder, and makes them the first time. */
export async function loadCredentials(dataDir: string): Promise<Credentials> {
  const path = join(dataDir, 'credentials.json')
  const known = await readJson(path)
  if (known !== undefined) {
    const { postgresPassword, accessKeyId, secretAccessKey } = known
    if (isText(postgresPassword) && isText(accessKeyId) && isText(secretAccessKey)) {
      return { postgresPassword, accessKeyId, secretAccessKey }
    }
    throw unreadable(path)
  }
  const made: Credentials = {
    postgresPassword: randomBytes(18).toString('hex'),
    accessKeyId: `LONGHAUL${randomBytes(6).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString('hex'),
  }
  await writePrivateFile(path, `${JSON.stringify(made, null, 2)}\n`)
  return made
}

/** Reads the ports of the last start; a file that says nothing useful says nothing. */
export async function loadPorts(dataDir: string): Promise<Ports> {
  const known = await readJson(join(dataDir, 'ports.json')).catch(() => undefined)
  const { postgres, s3 } = known ?? {}
  return { ...(isPort(postgres) && { postgres }), ...(isPort(s3) && { s3 }) }
}

/** Keeps the ports for the next start. */
export async function savePorts(dataDir: string, ports: Required<Ports>): Promise<void> {
  await writePrivateFile(join(dataDir, 'ports.json'), `${JSON.stringify(ports)}\n`)
}

async function readJson(path: string): Promise<Partial<Record<string, unknown>> | undefined> {
  const text = await readOptionalFile(path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // falls through to the same answer as any other text that is not an object
  }
  throw unreadable(path)
}

function unreadable(path: string): StackError {
  return new StackError(`${path} is not what the embedded stack wrote.`, {
    hint: 'Restore it, or delete the data folder to start with an empty database.',
  })
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) > 0 && Number(value) < 65_536
}
