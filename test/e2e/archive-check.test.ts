import { describe, expect, it, onTestFinished } from 'vitest'
import { sha256 } from '../support/chunks.ts'
import { keysWith, readManifests, readObject } from '../support/read-archive.ts'
import { jsonOf, runCli, serviceEnvironment } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

const days = ['2025-03-01', '2025-03-02', '2025-03-03'] as const

const insertServices = ({ database }: TestSystem, prefix: string, day: number, count: number) =>
  database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select $1 || n, '100', '2014-07-01T00:00:00Z',
       timestamptz '2025-03-01T00:00:00Z' + $2 * interval '1 day' + n * interval '2 hours'
     from generate_series(1, $3) n`,
    [prefix, day, count],
  )

const purge = ({ database }: TestSystem, id: string) =>
  database.pool.query('delete from context_services.services where service_id = $1', [id])

/** Three days of ten services each, archived. */
async function setup() {
  const system = await startTestSystem(onTestFinished)
  for (const day of [0, 1, 2]) await insertServices(system, `s${day}-`, day, 10)
  const env = serviceEnvironment(system)
  const run = (args: readonly string[]) => runCli(args, { env })
  expect((await run(['archive', '--from', days[0], '--to', days[2]])).code).toBe(0)
  const check = (...args: readonly string[]) =>
    run(['archive', 'check', '--from', days[0], '--to', days[2], ...args])
  return { system, run, check }
}

const lines = (text: string) => text.split('\n').slice(0, -1)
const inPartition = async (system: TestSystem, day: string) =>
  (await keysWith(system, `services/dt=${day}/`)).map((key) => key.replace(/^.*\//, ''))

describe('longhaul archive check', { timeout: 120_000 }, () => {
  it('finds each window as the source has it, and changes nothing', async () => {
    const { system, run, check } = await setup()
    const before = await system.bucket.keys()
    const { code, stdout, stderr } = await check('--repair')
    expect([code, stdout]).toEqual([0, 'services: 3 windows: 3 as the source has them, 0 differ\n'])
    expect(lines(stderr)).toEqual(days.map((day) => `same     services ${day}  10 rows`))
    expect(await system.bucket.keys()).toEqual(before)
    const recent = await run(['archive', 'check'])
    expect([recent.code, recent.stdout]).toEqual([
      0,
      'services: 0 windows: 0 as the source has them, 0 differ\n',
    ])
  })

  it('looks at what ended in the last seven days, unless it is told dates', async () => {
    const { run } = await setup()
    const dateOf = (daysAgo: number) =>
      new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10)
    // the last of them ends before this test may see the end of a day
    const filled = await run(['archive', '--from', dateOf(12), '--to', dateOf(3)])
    expect(filled.code).toBe(0)
    const { code, stderr } = await run(['archive', 'check'])
    expect(code).toBe(0)
    const checked = lines(stderr).map((line) => line.split(/ +/)[2])
    expect(checked).toContain(dateOf(6))
    expect(checked).toContain(dateOf(3))
    expect(checked).not.toContain(dateOf(9))
    expect(checked).not.toContain(days[0])
  })

  it('reports what came late and what was removed, and archives the late anew when it is told to', async () => {
    const { system, run, check } = await setup()
    await insertServices(system, 'late-', 1, 3)
    await purge(system, 's2-4')
    const before = await system.bucket.keys()
    const [, old] = await readManifests(system)

    const reported = await check()
    expect([reported.code, reported.stdout]).toEqual([
      1,
      'services: 3 windows: 1 as the source has them, 2 differ\n',
    ])
    expect(lines(reported.stderr)).toEqual([
      `same     services ${days[0]}  10 rows`,
      `late     services ${days[1]}  10 rows archived, 13 in the source now`,
      `fewer    services ${days[2]}  10 rows archived, 9 in the source now: some were removed since, or were moved; the archive keeps what it has`,
    ])
    expect(await system.bucket.keys()).toEqual(before)

    const repaired = await check('--repair')
    expect([repaired.code, repaired.stdout]).toEqual([
      1,
      'services: 3 windows: 1 as the source has them, 1 archived anew, 1 differ\n',
    ])
    expect(lines(repaired.stderr).at(-1)).toMatch(
      `repaired services ${days[1]}  generation 2  13 rows, `,
    )

    // one artifact in the partition, the one before beside it, and a manifest for each
    expect(await inPartition(system, days[1])).toEqual([
      expect.stringMatching(/_g2_.*\.ndjson\.gz$/),
    ])
    const superseded = old!.artifact.key.replace('services/dt=', 'services/_superseded/dt=')
    expect(sha256(await readObject(system, superseded))).toBe(old!.artifact.sha256)
    const manifests = await readManifests(system)
    expect(manifests.map(({ window, generation }) => `${window} ${generation}`)).toEqual([
      `${days[0]} 1`,
      `${days[1]} 1`,
      `${days[1]} 2`,
      `${days[2]} 1`,
    ])
    expect(manifests[1]).toEqual(old)
    expect(await keysWith(system, '/exports/')).toEqual([])

    // both exports lead to their artifacts
    for (const { artifact, export_id } of manifests) {
      const { artifact: linked } = await system.client.status(export_id)
      const body = Buffer.from(await (await fetch(linked!.url)).arrayBuffer())
      expect([sha256(body), linked!.sha256]).toEqual([artifact.sha256, artifact.sha256])
    }

    const verified = await run([
      'verify',
      '--archive',
      'services',
      '--to',
      days[1],
      '--against-source',
    ])
    expect([verified.code, verified.stdout]).toEqual([
      0,
      'services: 2 windows: 2 as they were archived, 0 differ\n',
    ])
    const kept = await system.bucket.keys()
    expect((await check('--repair')).stdout).toBe(
      'services: 3 windows: 2 as the source has them, 1 differ\n',
    )
    expect(await system.bucket.keys()).toEqual(kept)

    await insertServices(system, 'later-', 1, 1)
    const again = jsonOf(await check('--repair', '--json')) as {
      archives: readonly { repaired: readonly unknown[] }[]
    }
    expect(again.archives[0]!.repaired).toMatchObject([
      { window: days[1], generation: 3, state: 'archived', rows: 14 },
    ])
    expect(await inPartition(system, days[1])).toEqual([expect.stringMatching(/_g3_/)])
    expect(await keysWith(system, '_superseded/')).toHaveLength(2)
  })

  it('keeps what it has where a new generation would lose records', async () => {
    const { system, check } = await setup()
    await insertServices(system, 'late-', 1, 3)
    await purge(system, 's1-4')
    const before = [...(await system.bucket.keys())].sort()
    for (let times = 0; times < 2; times++) {
      const { code, stdout, stderr } = await check('--repair')
      expect([code, stdout]).toEqual([
        1,
        'services: 3 windows: 2 as the source has them, 0 archived anew, 1 differ\n',
      ])
      expect(lines(stderr).at(-1)).toBe(
        `failed   services ${days[1]}: 1 record of generation 1 is not in the source any more: generation 2 is not kept.`,
      )
      expect([...(await system.bucket.keys())].sort()).toEqual(before)
    }
  })

  it('has nothing to compare with where the manifest was altered or removed', async () => {
    const { system, check } = await setup()
    const [first, second] = [...(await keysWith(system, '/_manifests/'))].sort()
    await system.bucket.removeObject(first!)
    await system.bucket.putObject(second!, Buffer.from('{}'))
    const { code, stderr } = await check('--repair')
    expect(code).toBe(1)
    expect(lines(stderr)).toEqual([
      `corrupt  services ${days[0]}: The manifest ${first!} is not there.`,
      expect.stringContaining(
        `corrupt  services ${days[1]}: The manifest ${second!} is not as it was written`,
      ),
      `same     services ${days[2]}  10 rows`,
    ])
  })
})
