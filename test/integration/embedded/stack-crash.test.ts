import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { waitUntilGone } from '../../../src/embedded/processes.ts'
import { startParent } from './parent-process.ts'
import { query, setupFolder, setupStack } from './setup-folder.ts'

const isLinux = process.platform === 'linux'

describe('when the parent of a stack goes away', { timeout: 60_000 }, () => {
  test.each(['SIGTERM', 'SIGKILL'] as const)('by %s, its children end too', async (signal) => {
    const parent = startParent(await setupFolder())
    const { postgresPid, s3Pid } = await parent.report

    await parent.kill(signal)

    expect(await waitUntilGone([postgresPid, s3Pid], 15_000)).toBe(true)
  })

  test.each(['process.exit(3)', 'throw new TypeError("a bug")'])(
    'by %s, its children end too',
    async (then) => {
      const { postgresPid, s3Pid } = await startParent(await setupFolder(), { then }).report

      expect(await waitUntilGone([postgresPid, s3Pid], 15_000)).toBe(true)
    },
  )

  test.runIf(isLinux)('not yet, Ctrl-C reaches the parent and none of its children', async () => {
    const { postgresPid, s3Pid } = await setupStack(await setupFolder())

    const groups = await Promise.all([process.pid, postgresPid, s3Pid].map(processGroup))

    expect(groups.slice(1)).toEqual([postgresPid, s3Pid])
    expect(groups[0]).not.toBe(groups[1])
  })

  test('the next start on the same folder works, with the data', async () => {
    const dataDir = await setupFolder()
    const parent = startParent(dataDir)
    const killed = await parent.report
    await query(killed.values.DATABASE_URL, 'create table kept as select 42 as answer')
    await parent.kill('SIGKILL')

    const { values } = await setupStack(dataDir)

    expect(await waitUntilGone([killed.postgresPid], 0)).toBe(true)
    expect(await query(values.DATABASE_URL, 'select answer from kept')).toEqual([{ answer: 42 }])
  })

  test.runIf(isLinux)('a server that was left running is stopped by the next start', async () => {
    const dataDir = await setupFolder()
    const parent = startParent(dataDir)
    const killed = await parent.report
    process.kill(await findWatch(killed.postgresPid), 'SIGKILL')
    await parent.kill('SIGKILL')
    // still there: nobody was left to stop it
    expect(await query(killed.values.DATABASE_URL, 'select 1 as one')).toEqual([{ one: 1 }])

    const log = vi.fn()
    const { values } = await setupStack(dataDir, { log })

    expect(log).toHaveBeenCalledWith(expect.stringContaining(`process ${killed.postgresPid}`))
    expect(await waitUntilGone([killed.postgresPid], 0)).toBe(true)
    expect(await query(values.DATABASE_URL, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('in the middle of the first start, the next one starts afresh', async () => {
    const dataDir = await setupFolder({ open: true })
    const home = join(dataDir, 'postgres')
    const parent = startParent(dataDir)
    await vi.waitFor(
      async () => {
        const unfinished = (await readdir(home)).find((name) => name.startsWith('new-data-'))
        expect(existsSync(join(home, unfinished!, 'PG_VERSION'))).toBe(true)
      },
      { timeout: 20_000, interval: 5 },
    )
    await parent.kill('SIGKILL')
    expect(existsSync(join(home, 'data'))).toBe(false)

    const { values } = await setupStack(dataDir)

    expect(await query(values.DATABASE_URL, 'select 1 as one')).toEqual([{ one: 1 }])
    expect((await readdir(home)).filter((name) => name.startsWith('new-'))).toEqual([])
  })
})

async function processGroup(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
}

/** The process that would stop the server when its parent is gone. */
async function findWatch(postgresPid: number): Promise<number> {
  for (const name of await readdir('/proc')) {
    const command = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (command.endsWith(`\0longhaul-watch\0${postgresPid}\0`)) return Number(name)
  }
  throw new TypeError(`nobody watches over ${postgresPid}`)
}
