import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { StackError } from '../../../src/errors.ts'
import { acquireStackLock } from '../../../src/embedded/stack-lock.ts'

describe("a data folder's lock", () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-lock-'))
    onTestFinished(() => rm(folder, { recursive: true }))
  })

  test('is held by one, until it is released', async () => {
    const lock = await acquireStackLock(folder)

    await expect(acquireStackLock(folder)).rejects.toThrow(StackError)
    await lock.release()
    await lock.release()
    await (await acquireStackLock(folder)).release()

    expect(await readdir(folder)).toEqual([])
  })

  test('is not held by two of many that ask at once', async () => {
    const asked = await Promise.allSettled(
      Array.from({ length: 8 }, () => acquireStackLock(folder)),
    )

    const held = asked.filter((one) => one.status === 'fulfilled')
    expect(held.length).toBeLessThanOrEqual(1)
    expect(await readdir(folder)).toHaveLength(held.length)
  })

  test.each([
    ['a process that has ended', 4_194_303],
    ['a process whose id another one has now', process.pid],
  ])('of %s is taken over', async (_, pid) => {
    await writeFile(join(folder, `stack-${pid}-00.lock`), 'when it started')

    const lock = await acquireStackLock(folder)

    expect(await readdir(folder)).toHaveLength(1)
    await lock.release()
  })
})
