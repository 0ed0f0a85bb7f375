import { expect, it, onTestFinished } from 'vitest'
import { createExportRecords } from '../../src/postgres/export-records.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createTestDatabase } from '../support/database.ts'
import { newArtifact, newExport } from '../support/new-export.ts'
import { openClient } from '../support/source-session.ts'
import { until } from '../support/until.ts'

const one = { leaseMs: 60_000, perKey: 1 }
const requestedBy = 'anna'

it('an export that waited for its turn begins, by its record, when the one before has ended', async () => {
  const database = await createTestDatabase(onTestFinished, { reference: false })
  const pool = createPool(database.url, { role: 'control database' })
  onTestFinished(() => pool.close())
  const records = createExportRecords(pool)
  const first = (await records.create(newExport({ requestedBy }))).record
  const running = (await records.claim(first.id, one))!
  const next = (await records.create(newExport({ requestedBy }))).record

  // another decision about this key is being taken
  const other = await openClient(onTestFinished, database.url)
  await other.query('begin')
  await other.query('select pg_advisory_xact_lock(1953854062, hashtext($1))', [requestedBy])
  const claiming = records.claim(next.id, one)
  await until(async () => {
    const { rows } = await database.pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`,
    )
    return rows.length === 1
  })
  const at = { finishedAt: new Date(), snapshotAt: new Date(), expiresAt: undefined }
  expect(await records.complete(running, newArtifact(), at)).toBe(true)
  await other.query('commit')

  const claimed = await claiming
  const [ended] = (await records.get(first.id)).history
  expect(claimed!.attemptAt!.getTime()).toBeGreaterThanOrEqual(ended!.endedAt.getTime())
  expect(claimed!.leaseUntil!.getTime()).toBe(claimed!.attemptAt!.getTime() + one.leaseMs)
})
