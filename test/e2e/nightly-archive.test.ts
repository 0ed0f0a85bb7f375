import { gunzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sha256 } from '../support/chunks.ts'
import { keysWith, readManifests, readObject } from '../support/read-archive.ts'
import { runCli, serviceEnvironment, startCli } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const dayMs = 86_400_000
const minuteMs = 60_000
/** So that half a day is left until the next day is due: no test sees a sixth one. */
const settleMinutes = Math.floor((Date.now() % dayMs) / minuteMs + 720) % 1440
const latestEnd = Math.floor((Date.now() - settleMinutes * minuteMs) / dayMs) * dayMs
/** Start of the day that many days before the first that is not due, UTC. */
const daysAgo = (days: number) => new Date(latestEnd - days * dayMs)
const dateOf = (at: Date) => at.toISOString().slice(0, 10)

/** Looks every second at five days that have settled. */
const archiving = () => ({
  ARCHIVE_SCHEDULE: '* * * * * *',
  ARCHIVE_START: dateOf(daysAgo(5)),
  ARCHIVE_SETTLE_MINUTES: String(settleMinutes),
})

/** Some services of each day: of its first instant, its last one, and in between. */
const insertServices = async ({ database }: TestSystem): Promise<readonly string[]> => {
  const { rows } = await database.pool.query<{ service_id: string }>(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select day || '-' || n, '100', '2014-07-01T00:00:00Z',
       $1::timestamptz + day * interval '1 day' + case n when 0 then interval '0'
         when 1 then interval '1 day' - interval '1 microsecond' else n * interval '1 hour' end
     from generate_series(0, 4) day, generate_series(0, 9) n
     returning service_id`,
    [daysAgo(5)],
  )
  return rows.map(({ service_id }) => service_id)
}

const untilArchived = (system: TestSystem) =>
  until(async () => (await keysWith(system, '/_manifests/')).length === 5, { timeoutMs: 60_000 })

/** Each day once, and each service in one of them: as the manifests say it, and as the artifacts have it. */
async function expectArchived(system: TestSystem, ids: readonly string[]): Promise<void> {
  const manifests = await readManifests(system)
  expect(manifests.map(({ window }) => window)).toEqual(
    [5, 4, 3, 2, 1].map((days) => dateOf(daysAgo(days))),
  )
  expect(await keysWith(system, '/dt=')).toEqual(manifests.map(({ artifact }) => artifact.key))
  const archived: string[] = []
  for (const { artifact, window } of manifests) {
    expect(artifact.key).toContain(`archive/services/dt=${window}/`)
    const body = await readObject(system, artifact.key)
    const text = gunzipSync(body)
    expect(artifact).toMatchObject({
      ...{ rows: 10, bytes: body.length, sha256: sha256(body), raw_sha256: sha256(text) },
    })
    const lines = String(text).split('\n').slice(0, -1)
    archived.push(...lines.map((line) => (JSON.parse(line) as { service_id: string }).service_id))
  }
  expect(archived.sort()).toEqual([...ids].sort())
}

describe('the nightly archive', { timeout: 120_000 }, () => {
  it('has every day that is over, once, and keeps it', async () => {
    const system = await startTestSystem(onTestFinished, { environment: archiving() })
    const ids = await insertServices(system)
    await untilArchived(system)
    await expectArchived(system, ids)
    const before = await system.bucket.keys()

    const { exports: records } = await system.client.list({ limit: 100 })
    expect(records).toHaveLength(5)
    for (const { id, artifact } of records) {
      expect(artifact).not.toHaveProperty('expires_at')
      const refused = await fetch(`${system.url}/exports/${id}`, { method: 'DELETE' })
      expect(refused.status).toBe(409)
      expect(await refused.json()).toMatchObject({ code: 'EXPORT_ARCHIVED' })
    }

    const looks = () =>
      system.logLines.filter((line) => /"job done"/.test(line) && /"archived":0/.test(line)).length
    const seen = looks()
    await until(() => looks() >= seen + 2)
    expect(await system.bucket.keys()).toEqual(before)
  })

  it('is not begun in one time zone, and gone on with in another', async () => {
    const system = await startTestSystem(onTestFinished, { environment: archiving() })
    const env = { ...serviceEnvironment(system), ...archiving(), ARCHIVE_TIMEZONE: 'Africa/Cairo' }
    const { code, stderr } = await runCli(['worker'], { env })
    expect(code).toBe(78)
    expect(stderr).toContain('kept by the day in UTC, and cannot go on by the day in Africa/Cairo')
    expect(stderr).toContain('give the archive another name')
  })

  it('has them once, too, when workers are killed on the way', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const ids = await insertServices(system)
    const env = { ...serviceEnvironment(system), ...archiving(), LEASE_SECONDS: '5' }
    for (const action of ['job started', 'export_id', '"state":"completed"']) {
      const worker = startCli(onTestFinished, ['worker'], { env })
      await until(() => worker.output().stderr.includes(action))
      worker.kill()
      await worker.ended
    }
    startCli(onTestFinished, ['worker'], { env })
    await untilArchived(system)
    await expectArchived(system, ids)
  })
})
