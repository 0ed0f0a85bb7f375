import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { keysWith, readManifests, readObject } from '../support/read-archive.ts'
import { createFolder, jsonOf, runCli, serviceEnvironment, startCli } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const days = ['2025-03-01', '2025-03-02', '2025-03-03', '2025-03-04', '2025-03-05']
const range = ['--from', '2025-03-01', '--to', '2025-03-05']

/** Ten services of each day. */
const insertServices = ({ database }: TestSystem) =>
  database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select day || '-' || n, '100', '2014-07-01T00:00:00Z',
       timestamptz '2025-03-01T00:00:00Z' + day * interval '1 day' + n * interval '2 hours'
     from generate_series(0, 4) day, generate_series(0, 9) n`,
  )

async function setup({ worker = true } = {}) {
  const system = await startTestSystem(onTestFinished, { worker })
  await insertServices(system)
  const env = serviceEnvironment(system)
  const archive = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runCli(['archive', ...args], { env: { ...env, ...more } })
  const windows = async () =>
    (await readManifests(system)).map(({ window, artifact }) => `${window} ${artifact.rows}`)
  return { system, env, archive, windows }
}

const tenEach = days.map((day) => `${day} 10`)
const counts = (result: Awaited<ReturnType<typeof runCli>>) =>
  (jsonOf(result) as { archives: readonly Readonly<Record<string, unknown>>[] }).archives[0]

describe('longhaul archive', { timeout: 120_000 }, () => {
  it('fills a range of days with a line for each, and does nothing the second time', async () => {
    const { system, archive, windows } = await setup()
    const { code, stdout, stderr } = await archive(range)
    expect([code, stdout]).toEqual([0, 'services: 5 windows: 5 archived, 0 were there, 0 failed\n'])
    const lines = stderr.split('\n').slice(0, -1)
    expect(lines.sort()).toEqual(
      days.map((day) => expect.stringMatching(`^services ${day}  archived  10 rows, `) as string),
    )
    expect(await windows()).toEqual(tenEach)
    const before = await system.bucket.keys()

    expect(counts(await archive([...range, '--json']))).toEqual({
      ...{ name: 'services', total: 5, archived: 0, present: 5, failed: 0, deleted: 0 },
    })
    expect(await system.bucket.keys()).toEqual(before)
    expect((await system.client.list({ limit: 100 })).exports).toHaveLength(5)
  })

  it('goes on where it was killed, and does no harm twice at the same time', async () => {
    const { system, env, archive, windows } = await setup()
    const killed = startCli(onTestFinished, ['archive', ...range, '--parallel', '1'], { env })
    await until(() => killed.output().stderr.includes('archived'))
    killed.kill()
    await killed.ended
    expect(await keysWith(system, '/_manifests/')).not.toHaveLength(5)

    const results = await Promise.all([archive(range), archive(range)])
    expect(results.map(({ code }) => code)).toEqual([0, 0])
    expect(await windows()).toEqual(tenEach)
    expect(await keysWith(system, '/dt=')).toHaveLength(5)
    expect((await system.client.list({ limit: 100 })).exports).toHaveLength(5)
  })

  it('says that no worker takes anything up, and goes on once one does', async () => {
    const { env, windows } = await setup({ worker: false })
    const waiting = startCli(onTestFinished, ['archive', ...range], { env })
    await until(() => waiting.output().stderr.includes('No worker has taken up'))
    startCli(onTestFinished, ['worker'], { env: { ...env, WORKER_PORT: '0' } })
    expect((await waiting.ended).code).toBe(0)
    expect(await windows()).toEqual(tenEach)
  })

  it('may run beside the nightly archive', async () => {
    const { system, env, archive, windows } = await setup({ worker: false })
    startCli(onTestFinished, ['worker'], {
      env: {
        ...env,
        WORKER_PORT: '0',
        ARCHIVE_SCHEDULE: '* * * * * *',
        ARCHIVE_START: '2025-02-27',
      },
    })
    await until(async () => (await keysWith(system, '/_manifests/')).length > 0)
    expect((await archive(range)).code).toBe(0)
    const archived = (await windows()).filter((each) => each.startsWith('2025-03-0'))
    expect(archived.slice(0, 5)).toEqual(tenEach)
  })

  it('says which windows failed, ends with 1, and does them again the next time', async () => {
    const { system, archive, windows } = await setup()
    await system.database.pool.query('alter table context_services.tasks rename to hidden')
    const failed = await archive(['--from', '2025-03-01', '--to', '2025-03-02'])
    expect(failed.code).toBe(1)
    expect(failed.stderr).toMatch(/services 2025-03-0[12] {2}failed: .*context_services.tasks/)
    expect(failed.stdout).toContain('2 windows: 0 archived, 0 were there, 2 failed')

    const status = await archive(['status'])
    expect(status.stdout).toMatch(/failed {3}2025-03-01, try 1, again at .*context_services.tasks/)
    await system.database.pool.query('alter table context_services.hidden rename to tasks')
    expect((await archive(range)).code).toBe(0)
    expect(await windows()).toEqual(tenEach)
  })

  it.each([
    [['--from', '2025-03-05', '--to', '2025-03-01'], 64, 'from: expected a date up to 2025-03-01'],
    [['--from', '2025-02-30'], 64, 'expected a date, such as "2025-01-01", got "2025-02-30"'],
    [['--from', '2025-03-01', '--to', '2999-01-01'], 64, 'has not settled before'],
    [['--from', '2025-03-01', '--archive', 'others'], 10, 'There is no archive "others"'],
    [['--from', '2025-03-01', '--parallel', '0'], 64, 'parallel'],
    [[], 64, "required option '--from <date>' not specified"],
    [['status', '--archive', 'others'], 10, 'There is no archive "others"'],
  ])('refuses %j', async (args, code, message) => {
    const { archive } = await setup({ worker: false })
    const result = await archive(args)
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(message)])
  })
})

describe('longhaul archive status', () => {
  it('shows a window a character, what is missing as ranges, and the same as JSON', async () => {
    const { archive } = await setup()
    expect((await archive(['status'])).stdout).toContain('There are no archives')
    const more = { ARCHIVE_START: '2025-03-01' }
    await archive(['--from', '2025-03-01', '--to', '2025-03-02'], more)
    await archive(['--from', '2025-03-05', '--to', '2025-03-05'], more)
    const { code, stdout } = await archive(['status', '--to', '2025-03-07'])
    expect(code).toBe(0)
    expect(stdout).toContain('missing  2025-03-03 to 2025-03-04')
    expect(stdout).toContain('missing  2025-03-06 to 2025-03-07')
    const seen = counts(await archive(['status', '--to', '2025-03-07', '--json']))
    expect(seen).toMatchObject({ name: 'services', counts: { archived: 3, missing: 4 } })
    expect((seen!['windows'] as { window: string; state: string }[]).slice(0, 3)).toMatchObject([
      { window: '2025-03-01', state: 'archived', generation: 1 },
      { window: '2025-03-02', state: 'archived' },
      { window: '2025-03-03', state: 'missing' },
    ])
  })
})

describe('archives that a file defines', { timeout: 120_000 }, () => {
  it('stand side by side, each with its own window, filter and format', async () => {
    const { system, archive } = await setup()
    const file = join(await createFolder(onTestFinished), 'archives.json')
    const definitions = [
      { name: 'monthly', window: 'month', format: 'json', compression: 'none' },
      { name: 'ids', window: 'day', export_content: false, time_zone: 'Europe/Berlin' },
    ]
    await writeFile(file, JSON.stringify(definitions))
    const { code, stdout } = await archive(range, { ARCHIVES_FILE: file })
    expect([code, stdout]).toEqual([
      0,
      'monthly: 1 windows: 1 archived, 0 were there, 0 failed\n' +
        'ids: 5 windows: 5 archived, 0 were there, 0 failed\n',
    ])
    const none = ['--from', '2025-03-02', '--to', '2025-03-03']
    const rest = await archive(none, { ARCHIVES_FILE: file })
    expect([rest.code, rest.stdout]).toEqual([
      0,
      'monthly: 0 windows: 0 archived, 0 were there, 0 failed\n' +
        'ids: 2 windows: 0 archived, 2 were there, 0 failed\n',
    ])
    const refused = await archive([...none, '--archive', 'monthly'], { ARCHIVES_FILE: file })
    expect([refused.code, refused.stderr]).toEqual([
      64,
      expect.stringContaining('for monthly, by the month'),
    ])
    const manifests = await readManifests(system)
    const [month] = manifests.filter((each) => each.archive === 'monthly')
    expect(month).toMatchObject({ window: '2025-03', artifact: { rows: 50 } })
    const text = String(await readObject(system, month!.artifact.key))
    expect(JSON.parse(text)).toHaveLength(50)
  })

  it('are refused with what is wrong, by name', async () => {
    const { archive } = await setup({ worker: false })
    const file = join(await createFolder(onTestFinished), 'archives.json')
    await writeFile(file, JSON.stringify([{ name: 'all', filter_events: 'any' }]))
    const { code, stderr } = await archive(range, { ARCHIVES_FILE: file })
    expect(code).toBe(78)
    expect(stderr).toContain('ARCHIVES_FILE: all: filter_events')
  })
})
