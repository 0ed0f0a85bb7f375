import { execFile } from 'node:child_process'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createEnqueuer } from '../../src/enqueue.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { createFolder } from '../support/run-cli.ts'
import { startTestSystem } from '../support/system.ts'
import { testQueue } from '../support/test-queue.ts'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

describe('requestExport, in the same process', () => {
  it('writes the record and wakes a worker, as POST /exports does', async () => {
    const system = await startTestSystem(onTestFinished)
    await insertFixtureServices(system.database.pool)
    const { url: databaseUrl } = system.database
    const { redis } = testQueue(system.database)
    const enqueuer = await createEnqueuer({ databaseUrl, redis })
    onTestFinished(() => enqueuer.close())
    const options = { idempotencyKey: 'once' }
    const { record, created } = await enqueuer.requestExport({ ...fixtureRange }, options)
    expect([record.state, created]).toEqual(['queued', true])
    const again = await enqueuer.requestExport({ ...fixtureRange }, options)
    expect([again.record.id, again.created]).toEqual([record.id, false])
    expect(await system.client.wait(record.id)).toMatchObject({ artifact: { rows: 5 } })
    await expect(enqueuer.requestExport({ time_from: 'x' })).rejects.toMatchObject({
      code: 'SPEC_INVALID',
    })
  })

  it('is refused where the control database is away, and leaves nothing running', async () => {
    const databaseUrl = 'postgres://nobody:hush-hush@127.0.0.1:1/none'
    await expect(createEnqueuer({ databaseUrl })).rejects.toMatchObject({
      code: 'SOURCE_UNAVAILABLE',
      message: expect.not.stringContaining('hush') as string,
    })
  })
})

describe('a job that somebody adds by hand', () => {
  it.each([
    ['for no record', { exportId: '00000000-0000-4000-8000-000000000000' }],
    ['with anything in it', { time_from: '2014-07-22T12:00:00Z' }],
  ])('%s fails, and says how exports are requested', async (_title, payload) => {
    const system = await startTestSystem(onTestFinished)
    const { classes, producer } = await testQueue(system.database).connect()
    const queue = new classes.Queue('longhaul-exports', producer)
    onTestFinished(() => queue.close())
    const job = await queue.add('longhaul-exports', payload)
    const failed = await until(async () =>
      (await queue.getFailed()).find(({ id }) => id === job.id),
    )
    expect(failed.failedReason).toMatch(/^There is no export /)
    for (const way of ['POST /exports', 'longhaul export', 'createClient', 'requestExport']) {
      expect(failed.failedReason).toContain(way)
    }
    expect(failed.attemptsMade).toBe(1)
  })
})

describe('the package, as another project sees it', () => {
  it('has types for what it exports', async () => {
    const folder = await createFolder(onTestFinished)
    await mkdir(join(folder, 'node_modules'))
    await symlink(root, join(folder, 'node_modules', 'longhaul'))
    await writeFile(
      join(folder, 'consumer.mts'),
      `import { createClient, ClientError, type ExportView } from 'longhaul'
       import { createEnqueuer } from 'longhaul/enqueue'
       const client = createClient({ url: 'http://127.0.0.1:8080', apiKey: 'k' })
       const view: ExportView = await client.wait('id', { onProgress: ({ progress }) => progress.rows })
       const bytes: number | undefined = view.artifact?.bytes
       // @ts-expect-error a number is no time
       await client.request({ time_from: 1 })
       // @ts-expect-error no such event
       await client.request({ time_from: 'x', filter_events: 'opened' })
       const enqueuer = await createEnqueuer({ databaseUrl: 'x' })
       const { record } = await enqueuer.requestExport({ time_from: 'x', export_content: true })
       // @ts-expect-error no such state
       const state: 'lost' = record.state
       export { bytes, state, ClientError }`,
    )
    const options = '--noEmit --strict --target es2023 --module nodenext --types node'.split(' ')
    const roots = ['--typeRoots', join(root, 'node_modules/@types')]
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [tsc, ...options, ...roots, 'consumer.mts'], { cwd: folder })
  })
})

describe('docs/examples', () => {
  const example = (name: string, args: readonly string[], env: Readonly<Record<string, string>>) =>
    run(process.execPath, [join(root, 'docs/examples', name), ...args], {
      env: { PATH: process.env['PATH'], ...env },
    })
  const range = [fixtureRange.time_from, fixtureRange.time_to]

  it('export-and-download.mjs does what it says, also twice', async () => {
    const system = await startTestSystem(onTestFinished)
    await insertFixtureServices(system.database.pool)
    const file = join(await createFolder(onTestFinished), 'services.json')
    for (let run = 0; run < 2; run++) {
      const { stdout } = await example('export-and-download.mjs', [...range, file], {
        LONGHAUL_URL: system.url,
      })
      expect(stdout).toContain('sha256')
    }
    expect((await system.client.list()).exports).toHaveLength(1)
  })

  it('request-in-process.mjs does what it says', async () => {
    const system = await startTestSystem(onTestFinished)
    const { stdout } = await example('request-in-process.mjs', range, {
      DATABASE_URL: system.database.url,
      ...testQueue(system.database).variables,
    })
    const [id = '', state] = stdout.trim().split(' ')
    expect(state).toBe('queued')
    expect(await system.client.wait(id)).toMatchObject({ state: 'completed' })
  })
})
