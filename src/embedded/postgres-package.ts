import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rename,
  stat,
  symlink,
} from 'node:fs/promises'
import { constants } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { UNFINISHED } from './postgres-home.ts'
import { isErrno, readOptionalFile } from './private-file.ts'

/** Parts of the package that only matter to those who compile against it: a fifth of its size. */
const NOT_COPIED = /\.a$|^pgxs$|^pkgconfig$/

interface Link {
  readonly source: string
  readonly target: string
}

/**
 * Does what the package's install script does, which npm may have been told not to run: adds the links
 * that npm cannot pack, and lets the programs be executed. False, and nothing done, when the package is
 * not ours to change.
 */
export async function repairPackage(root: string): Promise<boolean> {
  if ((await stat(root)).uid !== process.getuid?.()) return false
  try {
    await addLinks(root, root)
    await openPrograms(join(root, 'native', 'bin'))
    return true
  } catch (error) {
    if (['EACCES', 'EPERM', 'EROFS'].some((code) => isErrno(error, code))) return false
    throw error
  }
}

/**
 * Copies the package's programs and libraries into `home`, whole or not at all, and returns the folder
 * that has `bin`, `lib` and `share`. A copy of this version that is already there is used again.
 */
export async function copyPackage(root: string, home: string): Promise<string> {
  const { name, version } = JSON.parse(
    await readFile(join(root, 'package.json'), 'utf8'),
  ) as Record<'name' | 'version', string>
  const copy = join(home, `${name.slice(name.indexOf('/') + 1)}-${version}`)
  if ((await stat(copy).catch(() => undefined)) !== undefined) return join(copy, 'native')
  const unfinished = await mkdtemp(join(home, `${UNFINISHED}copy-`))
  await copyFolder(join(root, 'native'), join(unfinished, 'native'))
  await addLinks(root, unfinished)
  await openPrograms(join(unfinished, 'native', 'bin'))
  await chmod(unfinished, 0o755)
  await rename(unfinished, copy)
  return join(copy, 'native')
}

/** Makes the links that the package lists below `folder`, which is the package or a copy. */
async function addLinks(root: string, folder: string): Promise<void> {
  const list = (await readOptionalFile(join(root, 'native', 'pg-symlinks.json'))) ?? '[]'
  for (const { source, target } of JSON.parse(list) as Link[]) {
    const link = join(folder, target)
    await symlink(relative(dirname(link), join(folder, source)), link).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error
    })
  }
}

async function openPrograms(bin: string): Promise<void> {
  for (const name of await readdir(bin)) await chmod(join(bin, name), 0o755)
}

/** Everybody may read the copy, whatever the umask: the database may run as another user. */
async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to)
  await chmod(to, 0o755)
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (NOT_COPIED.test(entry.name)) continue
    if (entry.isDirectory()) await copyFolder(source, target)
    else if (entry.isFile()) {
      await copyFile(source, target, constants.COPYFILE_FICLONE)
      await chmod(target, 0o644)
    }
  }
}
