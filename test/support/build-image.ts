import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { Stage } from './dockerfile.ts'
import { projectFolder } from './project-file.ts'
import type { Release } from './release.ts'

const run = promisify(execFile)

/** Where every stage works. */
const workFolder = '/app'

/**
 * Does what the Dockerfile says without a container: each stage is a folder that stands for its `/app`, RUN and
 * COPY are carried out there, one after the other. What this cannot do it refuses, so that it never does less.
 * What it copies from the checkout is readable for its owner alone, as where a strict umask made the checkout.
 * @returns the folder of the last stage
 */
export async function buildImage(stages: readonly Stage[], release: Release): Promise<string> {
  const root = await mkdtemp(join(await realpath(tmpdir()), 'longhaul-image-'))
  release(() => rm(root, { recursive: true, force: true }))
  // the processes may be another user's
  await chmod(root, 0o755)
  const folders = new Map<string, string>()
  let folder = ''
  for (const [number, { from, name, steps }] of stages.entries()) {
    folder = join(root, name ?? String(number))
    const base = folders.get(from)
    await mkdir(folder)
    if (base !== undefined) await cp(base, folder, { recursive: true, verbatimSymlinks: true })
    await chmod(folder, 0o755)
    for (const { instruction, text } of steps) {
      if (instruction === 'RUN') await runStep(text, folder)
      if (instruction === 'COPY') await copyStep(text, folder, folders)
      if (instruction === 'WORKDIR' && text !== workFolder) throw unknown(instruction, text)
      if (!known.has(instruction)) throw unknown(instruction, text)
    }
    folders.set(name ?? String(number), folder)
  }
  return folder
}

const known = new Set([
  ...['RUN', 'COPY', 'WORKDIR', 'LABEL', 'ENV', 'USER', 'EXPOSE', 'HEALTHCHECK'],
  ...['ENTRYPOINT', 'CMD'],
])

const unknown = (instruction: string, text: string) =>
  new TypeError(`the tests do not know how to follow the Dockerfile: ${instruction} ${text}`)

/** npm, with what it has downloaded before, and chmod. */
async function runStep(text: string, cwd: string): Promise<void> {
  const [program, ...args] = text.split(' ')
  if (program !== 'npm' && program !== 'chmod') throw unknown('RUN', text)
  if (/["'$&|;<>]/.test(text)) throw unknown('RUN', text)
  const env = { ...process.env, NODE_ENV: undefined, npm_config_prefer_offline: 'true' }
  // as in a container, also where we have a stricter one
  await run('sh', ['-c', 'umask 022; exec "$@"', 'sh', program, ...args], { cwd, env })
}

async function copyStep(
  text: string,
  folder: string,
  folders: ReadonlyMap<string, string>,
): Promise<void> {
  const [, stage, paths = ''] = /^(?:--from=(\S+) )?([^-].*)$/.exec(text) ?? []
  const sources = paths.split(' ')
  const target = sources.pop() ?? ''
  const origin = stage === undefined ? projectFolder : folders.get(stage)
  if (origin === undefined || !target.startsWith('./') || sources.length === 0) {
    throw unknown('COPY', text)
  }
  for (const source of sources) {
    const path = stage === undefined ? source : source.replace(`${workFolder}/`, '')
    const found = join(origin, path)
    // of a folder it is the contents that are copied
    const into = (await stat(found)).isDirectory() || !target.endsWith('/')
    const to = join(folder, target, into ? '' : basename(path))
    await cp(found, to, { recursive: true, verbatimSymlinks: true })
    if (stage === undefined) await run('chmod', ['-R', 'go-rwx', to])
  }
}
