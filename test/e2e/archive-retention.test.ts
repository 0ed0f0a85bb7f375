import { describe, expect, it, onTestFinished } from 'vitest'
import { keysWith, readManifests, readObject } from '../support/read-archive.ts'
import { errorOf, jsonOf, runCli, serviceEnvironment } from '../support/run-cli.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const days = [1, 2, 3, 4, 5].map((day) => `2025-03-0${day}`)
const range = ['--from', '2025-03-01', '--to', '2025-03-05']

/** Five days of ten services each, archived, of which the policy keeps two. */
async function setup({ environment = {}, keep = 'daily 2', worker = true } = {}) {
  const system = await startTestSystem(onTestFinished, { environment, worker })
  const env = { ...serviceEnvironment(system), ...environment, ARCHIVE_KEEP: keep }
  const run = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    runCli(args, { env: { ...env, ...more } })
  const archive = (...args: readonly string[]) => run(['archive', ...args])
  /** Days whose manifest is there, by its name: it may go while somebody looks. */
  const windows = async () =>
    (await keysWith(system, '/_manifests/'))
      .map((key) => /_manifests\/(\d{4})(\d\d)(\d\d)T/.exec(key)?.slice(1).join('-'))
      .sort()
  if (!worker) return { system, env, run, archive, windows }
  await system.database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select day || '-' || n, '100', '2014-07-01T00:00:00Z',
       timestamptz '2025-03-01T00:00:00Z' + day * interval '1 day' + n * interval '2 hours'
     from generate_series(0, 4) day, generate_series(0, 9) n`,
  )
  expect((await archive(...range)).code).toBe(0)
  return { system, env, run, archive, windows }
}

describe('longhaul archive prune', { timeout: 120_000 }, () => {
  it('shows what it would delete, and why, and deletes nothing', async () => {
    const { system, archive } = await setup()
    const before = await system.bucket.keys()
    const { code, stdout, stderr } = await archive('prune')
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.split('\n')).toEqual([
      'services: keep daily 2: 5 windows archived, 2 kept',
      '  keep     2025-03-04 to 2025-03-05  2 windows: daily 2, which is from 2025-03-04 on',
      '  delete   2025-03-01 to 2025-03-03  3 windows: over before 2025-03-04, where what daily 2 keeps begins',
      expect.stringMatching(/^ {2}3 windows would be deleted, 30 rows, \d.* k?B$/),
      'What is deleted is gone: each window holds records that no other window has, and none stands in for it.',
      'Nothing was deleted. With --apply it is, and the nightly archive goes on by this policy.',
      '',
    ])
    const json = jsonOf(await archive('prune', '--json', '--keep', 'monthly 1, for ever'))
    expect(json).toMatchObject({
      ...{ applied: false, archives: [{ name: 'services', windows: [] }] },
    })
    expect(await system.bucket.keys()).toEqual(before)
  })

  it('deletes what is neither kept nor held, for good', async () => {
    const { system, run, archive, windows } = await setup()
    const [first] = await readManifests(system)
    const held = await archive(
      ...['hold', '--archive', 'services', '--from', '2025-03-02', '--to', '2025-03-02'],
      ...['--reason', 'a lawsuit'],
    )
    expect([held.code, held.stdout]).toEqual([
      0,
      'hold 1: services 2025-03-02: a lawsuit; 1 of its windows is archived\n',
    ])
    const pruned = jsonOf(await archive('prune', '--apply', '--json'))
    const rest = ['2025-03-02', '2025-03-04', '2025-03-05']
    expect(pruned).toMatchObject({
      applied: true,
      archives: [
        {
          ...{ name: 'services', keep: 'daily 2' },
          kept: [{ window: '2025-03-02', reasons: ['hold 1: a lawsuit'] }, {}, {}],
          windows: ['2025-03-01', '2025-03-03'].map((window) => ({
            ...{ window, outcome: 'deleted', rows: 10 },
          })),
        },
      ],
    })
    expect(await windows()).toEqual(rest)
    expect(await keysWith(system, '/dt=')).toHaveLength(3)
    expect(await keysWith(system, first!.artifact.key)).toEqual([])
    const { exports: records } = await system.client.list({ limit: 100 })
    expect(records.map(({ state }) => state).sort()).toEqual([
      ...['completed', 'completed', 'completed', 'expired', 'expired'],
    ])

    const status = await archive('status', '--to', '2025-03-05')
    expect(status.stdout).toContain('2025-03   -#-##')
    expect(status.stdout).toContain('held     hold 1: services 2025-03-02: a lawsuit')
    const verified = await run(['verify', '--archive', 'services', '--to', '2025-03-05'])
    expect([verified.code, verified.stdout]).toEqual([
      0,
      'services: 3 windows: 3 as they were archived, 0 differ\n',
    ])
    expect(verified.stderr).toContain('2 more were deleted by policy')
    const again = await archive(...range)
    expect([again.code, again.stdout]).toEqual([
      0,
      'services: 5 windows: 0 archived, 3 were there, 0 failed, 2 were deleted by policy\n',
    ])
    expect(again.stderr).toContain('services 2025-03-01  deleted before: over before 2025-03-04')
    expect(await windows()).toEqual(rest)
    // nothing that the sweep would find, or take away
    expect((await run(['sweep', '--json'])).code).toBe(0)
    expect(await windows()).toEqual(rest)

    expect((await archive('release', '1')).stdout).toBe(
      'released: hold 1: services 2025-03-02: a lawsuit\n',
    )
    expect((await archive('holds')).stdout).toBe('Nothing is held.\n')
    expect((await archive('prune', '--apply')).code).toBe(0)
    expect(await windows()).toEqual(rest.slice(1))
  })

  it('leaves a window whose manifest does not verify, and ends with 1', async () => {
    const { system, archive, windows } = await setup()
    const [key] = [...(await keysWith(system, '/_manifests/'))].sort()
    const text = String(await readObject(system, key!))
    await system.bucket.putObject(key!, Buffer.from(text.replace('"rows":10', '"rows":11')))
    const look = await archive('prune')
    expect([look.code, look.stdout]).toEqual([
      1,
      expect.stringMatching(/cannot {3}2025-03-01 {2}1 window: The manifest .* is not as it was/),
    ])
    const { code, stdout, stderr } = await archive('prune', '--apply')
    expect(code).toBe(1)
    const [head, ...told] = stderr.trimEnd().split('\n')
    expect(head).toBe('services: keep daily 2: 3 windows to delete')
    expect(told.sort()).toEqual([
      expect.stringMatching(/^cannot {3}services 2025-03-01: The manifest .* is not as it was/),
      expect.stringMatching(/^deleted {2}services 2025-03-02 {2}10 rows, .* k?B$/),
      expect.stringMatching(/^deleted {2}services 2025-03-03 {2}10 rows, .* k?B$/),
    ])
    expect(stdout).toMatch(/2 windows deleted, 20 rows, .*; 1 could not be\n/)
    expect(await windows()).toEqual(['2025-03-01', '2025-03-04', '2025-03-05'])
    expect(await keysWith(system, '/dt=')).toHaveLength(3)
  })

  it('finds its way when the control database was set back to before', async () => {
    const { system, run, archive, windows } = await setup()
    await archive('prune', '--apply')
    const rest = await windows()
    await system.database.pool.query(
      `update longhaul.archive_windows set state = 'archived', deleted_at = null, removed_at = null`,
    )
    await system.database.pool.query(`update longhaul.exports set state = 'completed'`)
    const verified = await run(['verify', '--archive', 'services', '--to', '2025-03-05'])
    expect([verified.code, verified.stderr]).toEqual([
      1,
      expect.stringMatching(/the manifest .* is not there/),
    ])
    expect((await archive(...range)).stdout).toContain('0 archived, 5 were there')
    const again = await archive('prune', '--apply')
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringContaining('3 windows deleted, 0 rows, 0 B'),
    ])
    expect(await windows()).toEqual(rest)
  })

  it('is refused with what was expected, where a policy would delete everything', async () => {
    const { run, archive } = await setup({ worker: false })
    const refused = async (
      result: ReturnType<typeof runCli>,
      code: number,
      ...messages: readonly string[]
    ) => {
      const { code: ended, stderr } = await result
      for (const message of messages) {
        expect([ended, stderr]).toEqual([code, expect.stringContaining(message)])
      }
    }
    const none = { ARCHIVE_KEEP: 'daily 0' }
    const expected = 'ARCHIVE_KEEP: expected what is kept, such as daily 35'
    await Promise.all(
      [['worker'], ['serve'], ['archive', 'prune']].map((command) =>
        refused(run(command, none), 78, expected, 'daily 0 would delete everything'),
      ),
    )
    const hold = ['hold', '--archive', 'services', '--from', '2025-03-01']
    await Promise.all(
      (
        [
          [['prune', '--keep', 'daily 0'], 64, 'keep: expected what is kept, such as daily 35'],
          [['prune', '--keep', 'daily 1', '--apply'], 64, '--keep is for a look only'],
          [['prune', '--archive', 'others'], 10, 'There is no archive "others"'],
          [[...hold, '--reason', 'x'], 10, 'There is no archive "services"'],
          [hold, 64, "required option '--reason' not specified"],
          [['holds', '--archive', 'others'], 10, 'There is no archive "others"'],
          [['release', '7'], 10, 'There is no hold 7, or it was released before'],
          [['release', 'x'], 64, 'whole number'],
        ] as const
      ).map(([args, code, message]) => refused(archive(...args), code, message)),
    )
    expect((await archive('prune')).stdout).toBe('Nothing is archived yet.\n')
    expect(errorOf(await archive('release', '7', '--json')).code).toBe('HOLD_UNKNOWN')
  })
})

describe('the nightly archive', { timeout: 120_000 }, () => {
  it('deletes by a policy only once somebody has confirmed it', async () => {
    const environment = { ARCHIVE_SCHEDULE: '* * * * * *', ARCHIVE_KEEP: 'daily 1' }
    const { system, archive, windows } = await setup({ environment, keep: 'daily 1' })
    const lines = (text: string) => system.logLines.filter((line) => line.includes(text)).length
    // yesterday is archived, too, and is what the policy keeps
    await until(async () => (await windows()).length === 6, { timeoutMs: 60_000 })
    const seen = lines('nobody has confirmed')
    await until(() => lines('nobody has confirmed') >= seen + 2, { timeoutMs: 60_000 })
    expect((await windows()).slice(0, 5)).toEqual(days)

    const dates = ['--from', '2025-03-01', '--to', '2025-03-02']
    await archive('hold', '--archive', 'services', ...dates, '--reason', 'an audit')
    expect((await archive('prune', '--apply')).code).toBe(0)
    expect((await windows()).slice(0, -1)).toEqual(days.slice(0, 2))
    await archive('release', '1')
    await until(async () => (await windows()).length === 1, { timeoutMs: 60_000 })
    await until(async () => (await keysWith(system, '/dt=')).length === 1)
    await until(() => lines('"deleted":2') > 0)
  })
})
