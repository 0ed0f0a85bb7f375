import { describe, expect, it } from 'vitest'
import { measuredRecords } from '../../src/metrics/measured-records.ts'
import { createRegistry } from '../../src/metrics/registry.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { metricValues } from '../support/metric-values.ts'
import { newArtifact, newExport } from '../support/new-export.ts'

const live = { leaseMs: 60_000 }
const now = new Date()
const failure = {
  ...{ again: true, failures: 1, rows: 0, at: now },
  error: { code: 'SOURCE_TIMEOUT', message: 'too slow', retryable: true },
}

function setup() {
  const registry = createRegistry()
  const records = measuredRecords(createMemoryExportRecords(), registry)
  const look = async () => metricValues(await registry.metrics())
  const running = async (createdAt = now) => {
    const { record } = await records.create(newExport({ createdAt }))
    return (await records.claim(record.id, live))!
  }
  const complete = async (createdAt = now, rows = 3) => {
    const claim = await running(createdAt)
    const finishedAt = new Date(claim.startedAt!.getTime() + 7000)
    const times = { finishedAt, expiresAt: finishedAt, snapshotAt: finishedAt }
    await records.complete(claim, newArtifact({ rows, bytes: 20 * rows }), times)
    return claim
  }
  return { records, look, running, complete }
}

describe('what is measured of exports', () => {
  it('is what was asked for, how long it waited and took, and how large it was', async () => {
    const { look, complete } = setup()
    await complete(new Date(Date.now() - 20_000))
    await complete(new Date(Date.now() - 20_000), 5)
    const values = await look()
    expect(values).toMatchObject({
      'longhaul_exports_requested_total{dataset="services"}': 2,
      'longhaul_exports_ended_total{dataset="services",state="completed"}': 2,
      'longhaul_exported_rows_total{dataset="services"}': 8,
      'longhaul_exported_bytes_total{dataset="services"}': 160,
      'longhaul_export_duration_seconds_sum{dataset="services"}': 14,
      'longhaul_export_duration_seconds_bucket{le="5",dataset="services"}': 0,
      'longhaul_export_duration_seconds_bucket{le="10",dataset="services"}': 2,
      'longhaul_export_queue_seconds_count{dataset="services"}': 2,
      'longhaul_export_queue_seconds_bucket{le="15",dataset="services"}': 0,
      'longhaul_export_queue_seconds_bucket{le="60",dataset="services"}': 2,
      longhaul_exports_running: 0,
    })
  })

  it('is what runs, until it ends in whatever way', async () => {
    const { records, look, running } = setup()
    const claims = [await running(), await running(), await running(), await running()]
    expect(await look()).toMatchObject({ longhaul_exports_running: 4 })
    await records.fail(claims[0]!, failure)
    await records.fail(claims[1]!, { ...failure, again: false })
    await records.release(claims[2]!)
    await records.cancel(claims[3]!.id, now)
    // its worker learns of it by its next report
    expect(await look()).toMatchObject({ longhaul_exports_running: 1 })
    await records.fail(claims[3]!, failure)
    expect(await look()).toMatchObject({
      longhaul_exports_running: 0,
      longhaul_attempts_interrupted_total: 1,
      'longhaul_attempt_errors_total{code="SOURCE_TIMEOUT",again="true"}': 1,
      'longhaul_attempt_errors_total{code="SOURCE_TIMEOUT",again="false"}': 1,
      'longhaul_exports_ended_total{dataset="services",state="failed"}': 1,
      'longhaul_exports_ended_total{dataset="services",state="canceled"}': 1,
    })
  })

  it('counts nothing that did not happen', async () => {
    const { records, look, complete } = setup()
    const claim = await complete()
    const times = { finishedAt: now, expiresAt: now, snapshotAt: now }
    const draft = newExport({ idempotencyKey: 'once' })
    await records.create(draft)
    await records.create(draft)
    expect(await records.complete(claim, newArtifact(), times)).toBe(false)
    expect(await records.fail(claim, failure)).toBe(false)
    expect(await records.cancel(claim.id, now)).toBeUndefined()
    expect(await records.claim(claim.id, live)).toBeUndefined()
    await records.expire(claim.id, now)
    await records.expire(claim.id, now)
    const values = await look()
    expect(values).toMatchObject({
      'longhaul_exports_requested_total{dataset="services"}': 2,
      'longhaul_exports_ended_total{dataset="services",state="completed"}': 1,
      'longhaul_exports_ended_total{dataset="services",state="expired"}': 1,
    })
    expect(Object.keys(values).join()).not.toMatch(/canceled|attempt_errors_total/)
  })

  it('is the wait of the first attempt alone', async () => {
    const { records, look, running } = setup()
    const claim = await running()
    await records.release(claim)
    await records.claim(claim.id, live)
    expect(await look()).toMatchObject({
      'longhaul_export_queue_seconds_count{dataset="services"}': 1,
      longhaul_exports_running: 1,
    })
  })
})
