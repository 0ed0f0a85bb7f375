import { describe, expect, it, onTestFinished } from 'vitest'
import { keysWith, readManifests, readObject } from '../support/read-archive.ts'
import { errorOf, runCli, serviceEnvironment } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

const range = ['--from', '2025-03-01', '--to', '2025-03-05']
const tenEach = [1, 2, 3, 4, 5].map((day) => `2025-03-0${day} 10`)

/** Five days of ten services each. */
async function setup() {
  const system = await startTestSystem(onTestFinished)
  await system.database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select day || '-' || n, '100', '2014-07-01T00:00:00Z',
       timestamptz '2025-03-01T00:00:00Z' + day * interval '1 day' + n * interval '2 hours'
     from generate_series(0, 4) day, generate_series(0, 9) n`,
  )
  const env = serviceEnvironment(system)
  const archive = (args: readonly string[]) => runCli(['archive', ...args], { env })
  const windows = async () =>
    (await readManifests(system)).map(({ window, artifact }) => `${window} ${artifact.rows}`)
  const verify = () => runCli(['verify', '--archive', 'services', '--to', '2025-03-05'], { env })
  return { system, archive, windows, verify }
}

describe('what is archived, when the control database was set back', { timeout: 120_000 }, () => {
  const forget = ({ database }: TestSystem) =>
    database.pool.query(
      'truncate longhaul.archive_windows, longhaul.archive_holds, longhaul.archives, longhaul.exports',
    )

  it('is taken over by its manifests, and nothing is exported again', async () => {
    const { system, archive, windows } = await setup()
    await archive(range)
    const before = await system.bucket.keys()
    await forget(system)
    // purged since: an export would be empty
    await system.database.pool.query('delete from context_services.services')
    expect((await archive(range)).code).toBe(0)
    expect(await windows()).toEqual(tenEach)
    expect(await system.bucket.keys()).toEqual(before)
    expect((await system.client.list({ limit: 100 })).exports).toEqual([])
  })

  it('is taken over with all its generations', async () => {
    const { system, archive, verify } = await setup()
    await archive(range)
    await system.database.pool.query(
      `insert into context_services.services (service_id, service_type, started_at, completed_at)
       values ('late', '100', '2014-07-01T00:00:00Z', '2025-03-02T12:00:00Z')`,
    )
    expect((await archive(['check', ...range, '--repair'])).code).toBe(0)
    const before = await system.bucket.keys()
    await forget(system)
    await system.database.pool.query('delete from context_services.services')
    expect((await archive(range)).code).toBe(0)
    // what a worker with a schedule does at its next look
    const repaired = await archive(['check', ...range, '--repair'])
    expect(repaired.stderr).toContain('repaired services 2025-03-02  generation 2')
    const verified = await verify()
    expect([verified.code, verified.stdout]).toEqual([
      0,
      'services: 5 windows: 5 as they were archived, 0 differ\n',
    ])
    expect(await system.bucket.keys()).toEqual(before)
  })

  it.each([
    ['running', 1],
    ['queued', 0],
  ])(
    'is left as it is by an export that is %s again, as of before it was archived',
    async (state, attempt) => {
      const { system, archive, windows } = await setup()
      await archive(range)
      const before = await system.bucket.keys()
      const [first] = await readManifests(system)
      const body = await readObject(system, first!.artifact.key)
      await system.database.pool.query('delete from context_services.services')
      // the leases of that time have ended
      await system.database.pool.query(
        `update longhaul.exports set state = $1, attempt = $2, artifact = null, finished_at = null, expires_at = null,
           lease_until = case when $1 = 'running' then now() - interval '1 hour' end`,
        [state, attempt],
      )
      await system.database.pool.query(
        `update longhaul.archive_windows set state = 'running', archived_at = null`,
      )
      const { code, stdout } = await archive(range)
      expect([code, stdout]).toEqual([
        0,
        'services: 5 windows: 5 archived, 0 were there, 0 failed\n',
      ])
      expect(await windows()).toEqual(tenEach)
      expect(await system.bucket.keys()).toEqual(before)
      expect((await readObject(system, first!.artifact.key)).equals(body)).toBe(true)
    },
  )

  it('but was altered or removed in the bucket, fails that window, and is left as it is', async () => {
    const { system, archive, verify } = await setup()
    await archive(range)
    await forget(system)
    const [altered, , lost] = [...(await keysWith(system, '/_manifests/'))].sort()
    const text = String(await readObject(system, altered!))
    const Body = text.replace('"rows":10', '"rows":11')
    await system.bucket.putObject(altered!, Buffer.from(Body))
    const { artifact } = JSON.parse(String(await readObject(system, lost!))) as {
      artifact: { key: string }
    }
    await system.bucket.removeObject(artifact.key)
    const before = await system.bucket.keys()

    const result = await archive(range)
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/2025-03-01 {2}failed: The manifest .* is not as it was written/)
    expect(result.stderr).toMatch(
      /2025-03-03 {2}failed: The manifest .* names .* which is not there/,
    )
    expect(result.stdout).toContain('5 windows: 3 archived, 0 were there, 2 failed')
    expect(await system.bucket.keys()).toEqual(before)
    const verified = await verify()
    expect([verified.code, verified.stdout]).toEqual([
      1,
      'services: 5 windows: 3 as they were archived, 2 differ\n',
    ])
    const json = await archive(['--from', '2025-03-01', '--archive', 'none', '--json'])
    expect(errorOf(json)).toMatchObject({ code: 'ARCHIVE_UNKNOWN' })
  })
})
