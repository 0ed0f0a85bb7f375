import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { keysWith, readManifests, readObject } from '../support/read-archive.ts'
import { errorOf, jsonOf, runCli, serviceEnvironment } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

const days = ['2025-03-01', '2025-03-02', '2025-03-03']

const insertServices = ({ database }: TestSystem, prefix: string, perDay: number) =>
  database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select $1 || day || '-' || n, '100', '2014-07-01T00:00:00Z',
       timestamptz '2025-03-01T00:00:00Z' + day * interval '1 day' + n * interval '2 hours'
     from generate_series(0, 2) day, generate_series(1, $2) n`,
    [prefix, perDay],
  )

/** Three days of ten services each, archived. */
async function setup() {
  const system = await startTestSystem(onTestFinished)
  await insertServices(system, 's', 10)
  const env = serviceEnvironment(system)
  const run = (args: readonly string[]) => runCli(args, { env })
  const filled = await run(['archive', '--from', days[0]!, '--to', days[2]!])
  expect(filled.code).toBe(0)
  const verify = (...args: readonly string[]) => run(['verify', ...args])
  const verifyAll = (...args: readonly string[]) => verify('--archive', 'services', ...args)
  return { system, run, verify, verifyAll }
}

type Setup = Awaited<ReturnType<typeof setup>>

describe('longhaul verify --archive', { timeout: 120_000 }, () => {
  it('says of each window that it is as it was archived, and changes nothing', async () => {
    const { system, verifyAll } = await setup()
    const before = await system.bucket.keys()
    const { code, stdout, stderr } = await verifyAll('--to', days[2]!, '--against-source')
    expect(code).toBe(0)
    expect(stdout).toBe('services: 3 windows: 3 as they were archived, 0 differ\n')
    expect(stderr.split('\n').slice(0, -1)).toEqual(
      days.map((day) => expect.stringMatching(`^ok {7}services ${day}  10 rows, `) as string),
    )
    const [first] = await readManifests(system)
    const some = jsonOf(await verifyAll('--json', '--from', days[0]!, '--to', days[0]!))
    const { bytes } = first!.artifact
    const window = { window: days[0], generation: 1, ok: true, rows: 10, bytes, problems: [] }
    const later = await verifyAll()
    expect([later.code, later.stderr]).toEqual([
      0,
      expect.stringContaining('1 more window is not archived: see longhaul archive status'),
    ])
    expect(some).toEqual({
      ...{ archive: 'services', differing: 0, not_archived: 0, deleted: 0 },
      windows: [window],
    })
    expect(await system.bucket.keys()).toEqual(before)
  })

  const put = ({ system }: Setup, key: string, body: Buffer) => system.bucket.putObject(key, body)
  const artifactOf = async ({ system }: Setup) => (await readManifests(system))[1]!.artifact.key

  it.each<[string, (made: Setup) => Promise<unknown>, RegExp]>([
    [
      'an artifact that has other bytes',
      async (made) => {
        const key = await artifactOf(made)
        const text = String(gunzipSync(await readObject(made.system, key)))
        await put(made, key, gzipSync(text.replace('"s1-3"', '"s1-x"')))
      },
      /SHA-256 unpacked: [0-9a-f]{64} in the manifest, [0-9a-f]{64} in the object/,
    ],
    [
      'an artifact that lacks a row',
      async (made) => {
        const key = await artifactOf(made)
        const lines = String(gunzipSync(await readObject(made.system, key))).split('\n')
        await put(made, key, gzipSync(lines.slice(1).join('\n')))
      },
      /rows: 10 in the manifest, 9 in the object/,
    ],
    [
      'an artifact that was cut',
      async (made) => {
        const key = await artifactOf(made)
        await put(made, key, (await readObject(made.system, key)).subarray(0, -30))
      },
      /the object .*: cannot be unpacked after \d+ bytes/,
    ],
    [
      'an artifact that was removed',
      async (made) => made.system.bucket.removeObject(await artifactOf(made)),
      /the object .* is not there/,
    ],
    [
      'a manifest that was removed',
      async (made) => {
        const [, key] = await keysWith(made.system, '/_manifests/')
        await made.system.bucket.removeObject(key!)
      },
      /the manifest .* is not there/,
    ],
    [
      'a manifest that was altered',
      async (made) => {
        const [, key] = await keysWith(made.system, '/_manifests/')
        const text = String(await readObject(made.system, key!))
        await put(made, key!, Buffer.from(text.replace('"rows":10', '"rows":9')))
      },
      /The manifest .* is not as it was written/,
    ],
    [
      'a second object in the partition',
      async (made) => {
        const key = await artifactOf(made)
        await put(made, key.replace('-1.nd', '-2.nd'), await readObject(made.system, key))
      },
      /the partition holds .*-2\.ndjson\.gz, too, which the manifest does not name/,
    ],
  ])('finds %s', async (_what, damage, expected) => {
    const made = await setup()
    await damage(made)
    const { code, stdout, stderr } = await made.verifyAll()
    expect(code).toBe(1)
    expect(stdout).toBe('services: 3 windows: 2 as they were archived, 1 differ\n')
    expect(stderr).toMatch(expected)
    expect(stderr).toContain(`differs  services ${days[1]!}`)
  })

  it('finds what came late, and what the source has lost, when the source is asked', async () => {
    const { system, verifyAll } = await setup()
    await insertServices(system, 'late', 1)
    await system.database.pool.query(
      `delete from context_services.services where service_id like 's2-%'`,
    )
    expect((await verifyAll()).code).toBe(0)
    const { code, stderr } = await verifyAll('--against-source')
    expect(code).toBe(1)
    expect(stderr).toContain('rows: 11 in the source now, 10 in the object: some came later')
    expect(stderr).toContain('rows: 1 in the source now, 10 in the object: some were removed since')
  })
})

describe('longhaul verify ID', { timeout: 60_000 }, () => {
  it('verifies the artifact of an export', async () => {
    const { system, verify } = await setup()
    const body = { time_from: '2014-01-01T00:00:00Z', time_to: '2026-01-01T00:00:00Z' }
    const { id } = await system.client.request({ ...body, export_content: true })
    const { artifact } = await system.client.wait(id)
    const whole = await verify(id, '--against-source')
    expect([whole.code, whole.stdout]).toEqual([
      0,
      expect.stringMatching(`^ok {7}export ${id}  30 rows, `),
    ])
    await system.bucket.putObject(artifact!.key, Buffer.from('[]'))
    const broken = await verify(id, '--json')
    expect(broken.code).toBe(1)
    expect(jsonOf(broken)).toMatchObject({
      ...{ id, ok: false, rows: 0, bytes: 2 },
      problems: [
        'rows: 30 in the record, 0 in the object',
        expect.anything(),
        expect.anything(),
        expect.anything(),
        expect.anything(),
      ],
    })
  })

  it('is refused without an export or an archive, with both, and for one that is none', async () => {
    const { system, verify } = await setup()
    expect((await verify()).code).toBe(64)
    const unknown = '00000000-0000-4000-8000-000000000000'
    expect((await verify(unknown, '--archive', 'services')).code).toBe(64)
    expect(errorOf(await verify(unknown, '--json')).code).toBe('EXPORT_NOT_FOUND')
    expect((await verify('--archive', 'others')).code).toBe(10)
    const { id } = await system.client.request({ time_from: '2014-01-01T00:00:00Z' })
    await system.client.wait(id)
    await fetch(`${system.url}/exports/${id}`, { method: 'DELETE' })
    const gone = await verify(id)
    expect([gone.code, gone.stderr]).toEqual([11, expect.stringContaining('is expired')])
  })
})
