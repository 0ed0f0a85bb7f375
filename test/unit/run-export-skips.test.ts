import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { NotFoundError } from '../../src/errors.ts'
import { runExport } from '../../src/export/run-export.ts'
import { exportBundle } from '../support/export-bundle.ts'
import { newArtifact } from '../support/new-export.ts'

const live = { leaseMs: 60_000 }

describe('an export that needs no attempt now', () => {
  it('is busy until the lease of another worker ends', async () => {
    const { run, records, id } = await exportBundle()
    const { leaseUntil } = (await records.claim(id, live))!
    expect(await run()).toEqual({ outcome: 'busy', until: leaseUntil })
  })

  it('is busy for one lease at most, though the clock of the record is far ahead', async () => {
    const { run, records, id, settings } = await exportBundle()
    await records.claim(id, { leaseMs: 24 * 3600 * 1000 })
    const result = await run()
    const { until: busyUntil } = result as { until: Date }
    expect(result).toMatchObject({ outcome: 'busy' })
    expect(busyUntil.getTime()).toBeLessThanOrEqual(Date.now() + settings.leaseMs)
  })

  it('is busy, and its job not lost, when another attempt has just given it back', async () => {
    const { run, records, record } = await exportBundle()
    const claim = () => Promise.resolve(undefined)
    expect(await run({ records: { ...records, claim } })).toMatchObject({ outcome: 'busy' })
    expect(await record()).toMatchObject({ state: 'queued' })
  })

  it('is skipped once it has finished', async () => {
    const { run, records, id } = await exportBundle()
    const claim = (await records.claim(id, live))!
    const now = new Date()
    const times = { finishedAt: now, expiresAt: now, snapshotAt: now }
    await records.complete(claim, newArtifact(), times)
    expect(await run()).toEqual({ outcome: 'skipped' })
    await records.expire(id, now)
    expect(await run()).toEqual({ outcome: 'skipped' })
  })

  it('is skipped once it was canceled', async () => {
    const { run, records, id } = await exportBundle()
    await records.cancel(id, new Date())
    expect(await run()).toEqual({ outcome: 'skipped' })
  })

  it('is an error when there is no record', async () => {
    const bundle = await exportBundle()
    const { signal } = new AbortController()
    await expect(runExport(bundle, randomUUID(), { signal })).rejects.toThrow(NotFoundError)
  })
})
