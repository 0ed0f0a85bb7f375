import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseEnv, promisify } from 'node:util'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { removeStackEnv, writeStackEnv } from '../../../src/embedded/stack-env.ts'

const VALUES = {
  DATABASE_URL: 'postgres://longhaul:0af3@127.0.0.1:5433/longhaul',
  S3_ENDPOINT: 'http://127.0.0.1:9000',
  EMPTY: '',
}

describe('stack.env', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'longhaul-env-'))
    onTestFinished(() => rm(folder, { recursive: true }))
  })

  test('is read alike by a shell and by Node', async () => {
    await writeStackEnv(folder, VALUES)

    const path = join(folder, 'stack.env')
    const text = await readFile(path, 'utf8')
    const command = `set -a; . ${path}; exec /usr/bin/env`
    const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command], { env: {} })

    expect(parseEnv(text)).toEqual(VALUES)
    expect(parseEnv(stdout)).toMatchObject(VALUES)
    expect(text).toContain(`. ${path}`)
  })

  test('is for its owner alone, and replaced whole', async () => {
    await writeStackEnv(folder, { OLD: '1' })
    await writeStackEnv(folder, VALUES)

    expect((await stat(join(folder, 'stack.env'))).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['stack.env'])
  })

  test.each(['two words', '$HOME', '`id`', 'a"b', "a'b", 'a#b', 'a&b', '~', 'a\nb', 'a\\b'])(
    'refuses the value %j, which would need quoting',
    async (value) => {
      await expect(writeStackEnv(folder, { NAME: value })).rejects.toThrow(TypeError)
      expect(await readdir(folder)).toEqual([])
    },
  )

  test('is removed, also when it is not there', async () => {
    await writeStackEnv(folder, VALUES)
    await removeStackEnv(folder)
    await removeStackEnv(folder)

    expect(await readdir(folder)).toEqual([])
  })
})
