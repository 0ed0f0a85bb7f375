import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { backfillArchives } from '../../src/compose-archive.ts'
import { createLogger } from '../../src/logger.ts'
import { ask } from '../support/ask.ts'
import { readManifests } from '../support/read-archive.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectNothingLeaked } from '../support/secrets.ts'
import { expectArchives, expectProblem, expectWindow } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const days = ['2025-03-01', '2025-03-02', '2025-03-03'] as const

let system: TestSystem
const release = releaseAfterAll()

/** Three days of ten services each, archived, in the place of four; and the last one again, as failed. */
beforeAll(async () => {
  system = await startTestSystem(release, { environment: { ARCHIVE_START: days[0] } })
  await system.database.pool.query(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select day || '-' || n, '100', '2014-07-01T00:00:00Z',
       timestamptz '2025-03-01T00:00:00Z' + day * interval '1 day' + n * interval '2 hours'
     from generate_series(0, 4) day, generate_series(0, 9) n`,
  )
  await backfill(days[0], days[2])
}, 120_000)

const backfill = (from: string, to: string) =>
  backfillArchives(system.config, createLogger({ level: 'silent' }), {
    ...{ from, to, parallel: 3, signal: new AbortController().signal },
  })
const get = (path: string) => ask(system.url, 'GET', path)
const look = async (window: string) => expectWindow(await get(`/archives/services/${window}`))
const list = async () => expectArchives(await get('/archives'))

async function fetchLink(url: string) {
  const response = await fetch(url)
  return { response, bytes: Buffer.from(await response.arrayBuffer()) }
}
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('GET /archives', () => {
  it('counts what is there and what is missing', async () => {
    const [archive, ...others] = await list()
    expect(others).toEqual([])
    expect(archive).toMatchObject({
      ...{ name: 'services', window: 'day', time_zone: 'UTC', first: days[0] },
      ...{ first_at: '2025-03-01T00:00:00.000Z', settle_minutes: 120 },
      counts: { archived: 3, planned: 0, running: 0, failed: 0 },
      failed: [],
    })
    const { gaps, counts } = archive!
    expect(gaps).toMatchObject([{ first: '2025-03-04', windows: counts.missing }])
    const today = Math.floor(Date.now() / 86_400_000) - Date.parse(days[0]) / 86_400_000
    // a day may have ended since
    expect([today, today - 1]).toContain(3 + counts.missing + counts.settling)
  })

  it('says which windows failed, and why', async () => {
    const { pool } = system.database
    await pool.query('alter table context_services.tasks rename to hidden')
    try {
      await backfill('2025-03-05', '2025-03-05')
    } finally {
      await pool.query('alter table context_services.hidden rename to tasks')
    }
    // answers are shared for a moment
    const { counts, failed, gaps } = await until(async () => {
      const [archive] = await list()
      return archive?.counts.failed === 1 && archive
    })
    expect(counts).toMatchObject({ archived: 3, failed: 1 })
    expect(gaps[0]).toMatchObject({ first: '2025-03-04', last: '2025-03-04', windows: 1 })
    expect(failed).toMatchObject([
      {
        ...{ window: '2025-03-05', time_from: '2025-03-05T00:00:00.000Z', generation: 1, tries: 1 },
        error: { code: 'SOURCE_QUERY_FAILED', retryable: false },
      },
    ])
    const window = await look('2025-03-05')
    expect(window).toMatchObject({ state: 'failed', generations: [{ state: 'failed', tries: 1 }] })
    expect(window).not.toHaveProperty('artifact')
  })

  it('shows holds, and the same to all who ask at the same time', async () => {
    const { pool } = system.database
    await pool.query(
      `insert into longhaul.archive_holds (archive, from_at, to_at, reason, placed_at)
       values ('services', '2025-03-01', '2025-03-03', 'an audit', '2026-01-01T00:00:00Z')`,
    )
    const [hold] = await until(async () => {
      const [archive] = await list()
      return archive !== undefined && archive.holds.length > 0 && archive.holds
    })
    expect(hold).toEqual({
      ...{ id: 1, archive: 'services', from: '2025-03-01', to: '2025-03-02', reason: 'an audit' },
      placed_at: '2026-01-01T00:00:00.000Z',
    })
    const lists = await Promise.all(Array.from({ length: 20 }, () => list()))
    expect(new Set(lists.map((each) => JSON.stringify(each))).size).toBe(1)
  })
})

describe('GET /archives/{archive}/{window}', () => {
  it('leads to the artifact and the manifest, which say the same', async () => {
    const manifests = await readManifests(system)
    for (const [index, day] of days.entries()) {
      const window = await look(day)
      const { key, rows, bytes, sha256: digest, raw_sha256 } = manifests[index]!.artifact
      expect(window).toMatchObject({
        ...{ archive: 'services', window: day, state: 'archived', generation: 1 },
        request: { filter_events: 'completed', format: 'ndjson', compression: 'gzip' },
        artifact: { key, rows: 10, bytes, sha256: digest, raw_sha256 },
      })
      expect(rows).toBe(10)
      const artifact = await fetchLink(window.artifact!.url)
      expect([artifact.response.status, artifact.bytes.length]).toEqual([200, bytes])
      expect(sha256(artifact.bytes)).toBe(digest)
      const range = `${day.replaceAll('-', '')}T000000Z_2025030${index + 2}T000000Z`
      expect(artifact.response.headers.get('content-disposition')).toBe(
        `attachment; filename="services_${range}.ndjson.gz"`,
      )
      const raw = gunzipSync(artifact.bytes)
      expect([sha256(raw), String(raw).split('\n').length]).toEqual([raw_sha256, 11])

      const manifest = await fetchLink(window.manifest!.url)
      expect(JSON.parse(String(manifest.bytes))).toEqual(manifests[index])
      expect(manifest.response.headers.get('content-type')).toBe('application/json')
      for (const { url_expires_at } of [window.artifact!, window.manifest!]) {
        const left = (Date.parse(url_expires_at) - Date.now()) / 1000
        expect(left).toBeGreaterThan(system.config.linkTtlSeconds * 0.9)
        expect(left).toBeLessThanOrEqual(system.config.linkTtlSeconds)
      }
    }
  })

  it('shows what was exported for it, as GET /exports/{id} does', async () => {
    const { generations, artifact } = await look(days[1])
    const record = await system.client.status(generations[0]!.export_id!)
    expect(record).toMatchObject({ state: 'completed', requested_by: 'archive:services' })
    expect(record.artifact!.key).toBe(artifact!.key)
  })

  it('shows a window that is archived though no export of it is known', async () => {
    const { pool } = system.database
    await pool.query(`update longhaul.archive_windows set export_id = null where name = $1`, [
      days[1],
    ])
    const window = await look(days[1])
    expect(window.generations[0]).not.toHaveProperty('export_id')
    expect((await fetchLink(window.artifact!.url)).response.status).toBe(200)
  })

  it('shows a window that nobody has planned as missing', async () => {
    expect(await look('2025-03-04')).toMatchObject({ state: 'missing', generations: [] })
  })

  it.each([
    ['services/2025-3-1', 'WINDOW_UNKNOWN', 'days, named by their local date, in UTC: such as 2'],
    ['services/2025-02-30', 'WINDOW_UNKNOWN', 'such as 2'],
    ['services/20250301T000000Z', 'WINDOW_UNKNOWN', 'named by their local date'],
    ['services/2025-02-28', 'WINDOW_UNKNOWN', 'longhaul archive --archive services --from 2025-02'],
    ['services/2999-01-01', 'WINDOW_UNKNOWN', 'It may be read from 2999-01-02T02:00:00.000Z on.'],
    ['others/2025-03-01', 'ARCHIVE_UNKNOWN', 'Known ones: services.'],
  ])('is 404 for %s', async (path, code, hint) => {
    const problem = expectProblem(await get(`/archives/${path}`), 404, code)
    expect(problem.hint).toContain(hint)
  })

  it.each(['%00', '..%2Fx', '%2e%2e', '%F0%9F%92%BE', "1'%20or%20'1'='1", 'x'.repeat(100)])(
    'is 404 for the name %s, of an archive or of a window',
    async (name) => {
      expectProblem(await get(`/archives/${name}/${days[0]}`), 404, 'ARCHIVE_UNKNOWN')
      expectProblem(await get(`/archives/services/${name}`), 404, 'WINDOW_UNKNOWN')
    },
  )

  it('is 404 for a name that no archive may have, and no window', async () => {
    const long = 'x'.repeat(5000)
    for (const path of [`${long}/${days[0]}`, `services/${long}`]) {
      expectProblem(await get(`/archives/${path}`), 404, 'ARCHIVE_UNKNOWN')
    }
  })

  it('refuses to lead to anything by a manifest that was altered, or is gone', async () => {
    const { key } = (await look(days[2])).manifest!
    const object = await fetchLink((await look(days[2])).manifest!.url)
    const altered = String(object.bytes).replace('"rows":10', '"rows":11')
    expect(altered).not.toBe(String(object.bytes))
    await system.bucket.putObject(key, Buffer.from(altered))
    const refused = await get(`/archives/services/${days[2]}`)
    const { detail, hint } = expectProblem(refused, 500, 'ARCHIVE_CORRUPT')
    expect(detail).toContain(`The manifest ${key} is not as it was written`)
    expect(hint).toContain('Put it back from a copy')

    await system.bucket.removeObject(key)
    const gone = expectProblem(await get(`/archives/services/${days[2]}`), 500, 'ARCHIVE_CORRUPT')
    expect(gone.detail).toContain('is not there')
    // the others, and what is counted, are as they were
    expect((await look(days[0])).state).toBe('archived')
    expect((await list())[0]!.counts.archived).toBe(3)
    await system.bucket.putObject(key, object.bytes)
    expect((await look(days[2])).artifact!.rows).toBe(10)
  })

  it('stores no link, and logs none', async () => {
    const { url } = (await look(days[0])).artifact!
    const signature = new URL(url).searchParams.get('X-Amz-Signature')!
    await expectNothingLeaked(system, [signature])
  })
})
