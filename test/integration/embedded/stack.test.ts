import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { StackError } from '../../../src/errors.ts'
import { waitUntilGone } from '../../../src/embedded/processes.ts'
import { removeStackData } from '../../../src/embedded/remove-stack-data.ts'
import { startStack } from '../../../src/embedded/stack.ts'
import { connectS3, query, setupFolder, setupStack } from './setup-folder.ts'

describe('the embedded stack', { timeout: 60_000 }, () => {
  test('starts a PostgreSQL with its own database, in UTC and the builtin C.UTF-8', async () => {
    const { values } = await setupStack(await setupFolder())

    const [facts] = await query<Record<string, string>>(
      values.DATABASE_URL,
      `select current_database() as name, current_user as owner, current_setting('TimeZone') as zone,
         current_setting('server_encoding') as encoding, current_setting('server_version_num')::int >= 170000
           and (select datlocprovider = 'b' and datlocale = 'C.UTF-8'
                from pg_database where datname = current_database()) as builtin`,
    )

    expect(facts).toEqual({
      name: 'longhaul',
      owner: 'longhaul',
      zone: 'UTC',
      encoding: 'UTF8',
      builtin: true,
    })
  })

  test('refuses a wrong password', async () => {
    const { values } = await setupStack(await setupFolder())
    const url = new URL(values.DATABASE_URL)
    url.password = 'wrong'

    await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed')
  })

  test('starts durable unless told otherwise', async () => {
    const { values } = await setupStack(await setupFolder(), { durable: true })

    const rows = await query(
      values.DATABASE_URL,
      `select setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')`,
    )

    expect(rows).toEqual([{ setting: 'on' }, { setting: 'on' }, { setting: 'on' }])
  })

  test('keeps data, credentials and ports over a restart', async () => {
    const dataDir = await setupFolder()
    const first = await setupStack(dataDir)
    await query(first.values.DATABASE_URL, 'create table kept as select 42 as answer')
    await connectS3(first.values).putObject({ Bucket: 'longhaul', Key: 'kept', Body: 'forty-two' })
    await first.stop()

    const second = await setupStack(dataDir)

    expect(second.values).toEqual(first.values)
    expect(await query(second.values.DATABASE_URL, 'select answer from kept')).toEqual([
      { answer: 42 },
    ])
    const { Body } = await connectS3(second.values).getObject({ Bucket: 'longhaul', Key: 'kept' })
    expect(await Body?.transformToString()).toBe('forty-two')
  })

  test('takes other ports when the last ones are taken', async () => {
    const dataDir = await setupFolder()
    const first = await setupStack(dataDir)
    await first.stop()
    const taken = [first.values.DATABASE_URL, first.values.S3_ENDPOINT].map(
      (url) => new URL(url).port,
    )
    await Promise.all(taken.map(occupy))

    const second = await setupStack(dataDir)

    const ports = [second.values.DATABASE_URL, second.values.S3_ENDPOINT].map(
      (u) => new URL(u).port,
    )
    expect(ports).not.toContain(taken[0])
    expect(ports).not.toContain(taken[1])
    expect(await query(second.values.DATABASE_URL, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('refuses a second start on the same folder and names the process that has it', async () => {
    const dataDir = await setupFolder()
    const { values } = await setupStack(dataDir)

    const second = startStack({ dataDir, durable: false })

    await expect(second).rejects.toThrow(StackError)
    await expect(second).rejects.toThrow(`in use by process ${process.pid}`)
    expect(await query(values.DATABASE_URL, 'select 1 as one')).toEqual([{ one: 1 }])
  })

  test('lets at most one of several that start at once have the folder', async () => {
    const dataDir = await setupFolder()

    const starts = await Promise.allSettled(
      Array.from({ length: 4 }, () => startStack({ dataDir, durable: false })),
    )
    const started = starts.filter((start) => start.status === 'fulfilled')
    await Promise.all(started.map((start) => start.value.stop()))

    expect(started.length).toBeLessThanOrEqual(1)
    expect((await readdir(dataDir)).filter((name) => name.endsWith('.lock'))).toEqual([])
  })

  test('leaves nothing running and no lock when it has stopped, however often it is asked', async () => {
    const dataDir = await setupFolder()
    const stack = await setupStack(dataDir)

    await Promise.all([stack.stop(), stack.stop()])
    await stack.stop()

    expect(await waitUntilGone([stack.postgresPid, stack.s3Pid], 0)).toBe(true)
    expect((await readdir(dataDir)).filter((name) => name.endsWith('.lock'))).toEqual([])
  })

  test.each(['postgresPid', 's3Pid'] as const)('tells when its part %s dies', async (part) => {
    const stack = await setupStack(await setupFolder())

    process.kill(stack[part], 'SIGKILL')

    const error = await stack.failed
    expect(error).toBeInstanceOf(StackError)
    expect(error.message).toMatch(/The embedded .* was ended by SIGKILL/)
  })

  test('keeps everything it writes from other users', async () => {
    const dataDir = await setupFolder()
    await setupStack(dataDir)

    const modes = await Promise.all(
      (await readdir(dataDir)).map(async (name) => {
        const { mode } = await stat(join(dataDir, name))
        return [name.replace(/-.*\.lock$/, ''), (mode & 0o777).toString(8)]
      }),
    )

    const { postgres, ...rest } = Object.fromEntries(modes) as Record<string, string>
    expect(postgres ?? '700').toMatch(/^7[01][01]$/)
    expect(new Set(Object.values(rest))).toEqual(new Set(['600', '700']))
    expect((await stat(dataDir)).mode & 0o066).toBe(0)
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toContain('ready to accept')
  })

  test('says what PostgreSQL said when it does not start, and leaves nothing running', async () => {
    const dataDir = await setupFolder({ open: true })
    await (await setupStack(dataDir)).stop()
    await writeFile(join(dataDir, 'postgres/data/postgresql.conf'), 'nonsense = on\n')

    const start = startStack({ dataDir, durable: false })

    await expect(start).rejects.toThrow('unrecognized configuration parameter "nonsense"')
    expect((await readdir(dataDir)).filter((name) => name.endsWith('.lock'))).toEqual([])
  })

  test('is removed with everything, but not while it runs, and no folder that is not its own', async () => {
    const dataDir = await setupFolder()
    const stack = await setupStack(dataDir)
    const home = await readFile(join(dataDir, 'postgres-home'), 'utf8').catch(() => dataDir)

    await expect(removeStackData(dataDir)).rejects.toThrow('in use')
    await expect(removeStackData(join(dataDir, '..'))).rejects.toThrow('is not a data folder')
    await stack.stop()
    await removeStackData(dataDir)

    await expect(stat(dataDir)).rejects.toThrow('ENOENT')
    await expect(stat(home.trim())).rejects.toThrow('ENOENT')
    await removeStackData(dataDir)
  })
})

async function occupy(port: string): Promise<void> {
  const server = createServer().listen(Number(port), '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
}
