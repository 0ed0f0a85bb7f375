import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { StackError } from '../errors.ts'
import { isRoot } from './data-folder.ts'
import { readOptionalFile, writePrivateFile } from './private-file.ts'
import { runTool, type RunAs } from './run-tool.ts'

/** In the data folder: names the home when it is elsewhere. */
const POINTER = 'postgres-home'
/** In a home elsewhere: names the data folder it belongs to. */
const OWNER = 'data-folder'
const PREFIX = 'longhaul-postgres-'
const SHARED_FOLDERS = ['/var/tmp', '/tmp']

/** How names in the home begin while what they name is still being made. */
export const UNFINISHED = 'new-'

/** Where the database lives, and as whom it runs. */
export interface PostgresHome {
  /** Real path of a folder that only we may change: holds `data`, and a copy of the binaries if need be. */
  readonly path: string
  /** The database's own folder; not there before the first start. */
  readonly data: string
  /** Set when we are root: PostgreSQL refuses to be. */
  readonly runAs: RunAs | undefined
}

/**
 * Decides where the database of a data folder lives and makes that folder. It is `<dataDir>/postgres`
 * wherever PostgreSQL can get there. As root it runs as `nobody`, who may be shut out somewhere above:
 * then it is a folder of its own under /var/tmp, whose name the data folder remembers.
 */
export async function openPostgresHome(
  dataDir: string,
  log: (line: string) => void,
): Promise<PostgresHome> {
  const inside = join(dataDir, 'postgres')
  if (!isRoot()) {
    await mkdir(inside, { recursive: true, mode: 0o700 })
    return home(inside)
  }
  const runAs = await findNobody()
  if (await mayEnter(runAs, dataDir)) {
    await mkdir(inside, { recursive: true })
    await chmod(inside, 0o711)
    return home(inside, runAs)
  }
  if (await exists(join(inside, 'data'))) {
    throw new StackError(`PostgreSQL, as user ${runAs.uid}, can no longer reach ${inside}.`, {
      hint: 'Let others pass through the folders above it (chmod o+x), or delete the data folder.',
    })
  }
  const known = await findPostgresHome(dataDir)
  if (known !== undefined) return home(known, runAs)
  const path = await createElsewhere(dataDir, runAs)
  log(`The user nobody cannot enter ${dataDir}: the database lives in ${path}.`)
  return home(path, runAs)
}

/** The folder elsewhere that the data folder names, if it is there and truly this data folder's. */
export async function findPostgresHome(dataDir: string): Promise<string | undefined> {
  const path = (await readOptionalFile(join(dataDir, POINTER)))?.trim()
  if (path === undefined || !(await isTrusted(path))) return undefined
  const owner = (await readOptionalFile(join(path, OWNER)))?.trim()
  if (owner === dataDir) return path
  // a data folder that was moved keeps its database; a copy of one must not use the original's
  if (owner === undefined || (await exists(owner))) return undefined
  await writeFile(join(path, OWNER), `${dataDir}\n`)
  return path
}

/** Removes the folder elsewhere that the data folder names, if any. The database must not be running. */
export async function removePostgresHome(dataDir: string): Promise<void> {
  const path = await findPostgresHome(dataDir)
  if (path !== undefined) await rm(path, { recursive: true, force: true, maxRetries: 5 })
  await rm(join(dataDir, POINTER), { force: true })
}

/** Removes what a start that was killed on the way left. To be called with nothing running in the home. */
export async function removeUnfinished({ path }: PostgresHome): Promise<void> {
  for (const name of await readdir(path)) {
    if (!name.startsWith(UNFINISHED)) continue
    await rm(join(path, name), { recursive: true, force: true, maxRetries: 5 })
  }
}

function home(path: string, runAs?: RunAs): PostgresHome {
  return { path, data: join(path, 'data'), runAs }
}

/** Everybody may write to /var/tmp: the name is random and new, and nobody else may change what is inside. */
async function createElsewhere(dataDir: string, runAs: RunAs): Promise<string> {
  for (const shared of SHARED_FOLDERS) {
    if (!(await mayEnter(runAs, shared))) continue
    const path = await mkdtemp(join(await realpath(shared), PREFIX))
    await chmod(path, 0o711)
    await writeFile(join(path, OWNER), `${dataDir}\n`, { mode: 0o600, flag: 'wx' })
    await writePrivateFile(join(dataDir, POINTER), `${path}\n`)
    return path
  }
  throw new StackError(`No folder was found that PostgreSQL, as user ${runAs.uid}, can enter.`, {
    hint: 'Run as an ordinary user, or put the data folder where others may pass through.',
  })
}

/** A pointer is only a text: what it names must be a folder we made, that nobody else may change. */
async function isTrusted(path: string): Promise<boolean> {
  if (!basename(path).startsWith(PREFIX)) return false
  const facts = await lstat(path).catch(() => undefined)
  return (
    facts?.isDirectory() === true && facts.uid === process.getuid?.() && (facts.mode & 0o022) === 0
  )
}

/** Whom the database runs as when we are root. */
export async function findNobody(): Promise<RunAs> {
  const [uid, gid] = await Promise.all([
    runTool('id', ['-u', 'nobody']),
    runTool('id', ['-g', 'nobody']),
  ])
  const parse = (id: { output: string }) => Number(/^\d+\s*$/.exec(id.output)?.[0] ?? 65_534)
  return { uid: parse(uid), gid: parse(gid) }
}

/** True when the user may pass through a folder and all above it, by their modes (not by ACLs). */
async function mayEnter({ uid, gid }: RunAs, folder: string): Promise<boolean> {
  for (let path = await realpath(folder); ; path = dirname(path)) {
    const facts = await stat(path)
    const bit = facts.uid === uid ? 0o100 : facts.gid === gid ? 0o010 : 0o001
    if ((facts.mode & bit) === 0) return false
    if (path === dirname(path)) return true
  }
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}
