import pg from 'pg'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { exportJob } from '../../jobs/export.ts'
import { backfillArchives } from '../../src/compose-archive.ts'
import { requestExport } from '../../src/export/request-export.ts'
import { createLogger } from '../../src/logger.ts'
import { createExportRecords } from '../../src/postgres/export-records.ts'
import { createReplayLook } from '../../src/postgres/look-at-replay.ts'
import { migrate } from '../../src/postgres/migrate.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { openQueue } from '../../src/queue/open-queue.ts'
import { createProducer } from '../../src/queue/producer.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { readManifests } from '../support/read-archive.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { startStandbyPair } from '../support/standby.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

let primaryUrl: string
let standbyUrl: string
const release = releaseAfterAll()
const logger = createLogger({ level: 'silent' })
const { signal } = new AbortController()

beforeAll(async () => {
  ;({ primaryUrl, standbyUrl } = await startStandbyPair(release))
  await migrate(primaryUrl, { referenceSchema: true })
  const primary = new pg.Client({ connectionString: primaryUrl })
  await primary.connect()
  await primary.query(
    `insert into context_services.services (service_id, service_type, started_at, completed_at)
     select 's-' || n, '100', '2025-03-01T08:00:00Z', timestamptz '2025-03-01T12:00:00Z' + n * interval '1 minute'
     from generate_series(1, 50) n`,
  )
  await primary.end()
  const standby = new pg.Pool({ connectionString: standbyUrl, max: 1 })
  standby.on('error', () => undefined)
  await until(async () => {
    const look = standby.query<{ n: number }>(
      'select count(*)::integer as n from context_services.services',
    )
    return (await look.catch(() => undefined))?.rows[0]?.n === 50
  })
  await standby.end()
})

const start = (url: string) =>
  startTestSystem(onTestFinished, {
    environment: { SOURCE_DATABASE_URL: url, EXPORT_MAX_FAILURES: '1' },
  })

describe('an archive from a standby', { timeout: 120_000 }, () => {
  it('says in its manifests how far that was behind; one from a primary does not', async () => {
    for (const url of [standbyUrl, primaryUrl]) {
      const system = await start(url)
      await backfillArchives(system.config, logger, {
        ...{ from: '2025-03-01', to: '2025-03-01', parallel: 1, signal },
      })
      const [manifest] = (await readManifests(system)) as unknown as readonly Record<
        string,
        unknown
      >[]
      expect(manifest).toMatchObject({ artifact: { rows: 50 } })
      if (url === primaryUrl) {
        expect(manifest).not.toHaveProperty('replayed_at')
        expect(manifest).not.toHaveProperty('replay_lag_ms')
        continue
      }
      const { snapshot_at, replayed_at, replay_lag_ms } = manifest as Record<string, string>
      expect(replay_lag_ms).toBe(Date.parse(snapshot_at!) - Date.parse(replayed_at!))
      expect(Number(replay_lag_ms)).toBeGreaterThanOrEqual(0)
    }
  })

  it('is not read before that has replayed the end of the window and its settling time', async () => {
    const system = await start(standbyUrl)
    const pool = createPool(system.database.url, { role: 'control database' })
    onTestFinished(() => pool.close())
    const connection = await openQueue(system.config, { logger })
    const queue = await createProducer(connection, exportJob.name, logger)
    onTestFinished(() => queue.close())
    const deps = { records: createExportRecords(pool), queue, clock: systemClock }
    const ask = async (settledAt: string) => {
      const range = { time_from: '2025-03-01T00:00:00Z', time_to: '2025-03-02T00:00:00Z' }
      const { record } = await requestExport(deps, range, {
        archive: { name: 'a', date: '2025-03-01', generation: 1, settledAt },
      })
      return system.client.wait(record.id)
    }
    const early = await ask('2199-01-01T00:00:00.000Z')
    expect([early.state, early.error?.code]).toEqual(['failed', 'SOURCE_BEHIND'])
    expect(early.error!.message).toMatch(
      /is a standby that has replayed up to .*: the window is read once that is 2199-/,
    )
    expect(await system.bucket.keys()).toEqual([])
    expect((await ask('2025-03-02T02:00:00.000Z')).state).toBe('completed')
  })

  it('is known as one before anything is requested', async () => {
    const found = await createReplayLook(standbyUrl)({ signal })
    expect(found?.replayedAt?.getTime()).toBeGreaterThan(Date.parse('2025-03-02T02:00:00Z'))
    expect(await createReplayLook(primaryUrl)({ signal })).toBeUndefined()
  })
})
