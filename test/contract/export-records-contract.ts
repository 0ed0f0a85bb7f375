import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { NotFoundError } from '../../src/errors.ts'
import type { ExportRecord } from '../../src/export/model.ts'
import type { ExportRecords } from '../../src/export/ports.ts'
import { newArtifact, newExport, newRecord, newSpec, rangeOf } from '../support/new-export.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { until } from '../support/until.ts'
import { describeCount } from './export-records-count.ts'
import { describeHistory } from './export-records-history.ts'
import { describeListing, type MakeExportRecords } from './export-records-listing.ts'
import { describeTransitions } from './export-records-transitions.ts'
import { describeTurns } from './export-records-turns.ts'
import { describeUnattended } from './export-records-unattended.ts'

const at = new Date('2026-01-02T04:00:00.000Z')
const error = { code: 'SOURCE_TIMEOUT', message: 'too slow', retryable: true }
const live = { leaseMs: 60_000 }
const dead = { leaseMs: 1 }

/** What every implementation of ExportRecords does. */
export function describeExportRecords(name: string, make: MakeExportRecords): void {
  describe(name, () => {
    let records: ExportRecords
    const release = releaseAfterAll()
    beforeAll(async () => {
      records = await make(release)
    })

    const create = async () => (await records.create(newExport())).record
    async function running(options = live): Promise<ExportRecord> {
      const { id } = await create()
      return (await records.claim(id, options))!
    }
    const takenOver = (id: string, options = live) =>
      until(() => records.claim(id, options), { what: 'the lease to end' })

    describe('a new export', () => {
      it('is queued, unclaimed, and shows its spec as it was given', async () => {
        const draft = newExport({
          spec: newSpec({
            ...{ filterEvents: 'started', exportContent: true, filterState: 'active' },
            ...{ format: 'ndjson', compression: 'gzip' },
          }),
        })
        const { record, created, fingerprint } = await records.create(draft)
        const { id, createdAt } = draft
        expect(record).toEqual(newRecord({ id, spec: draft.spec, createdAt }))
        expect({ created, fingerprint }).toEqual({ created: true, fingerprint: draft.fingerprint })
        expect(await records.get(draft.id)).toEqual(record)
      })

      it('keeps the microseconds of its range', async () => {
        const range = rangeOf('2014-07-22T12:00:00.000500Z', '2014-07-22T12:00:00.001Z')
        const { record } = await records.create(newExport({ spec: newSpec({ range }) }))
        expect(record.spec.range).toEqual(range)
      })

      it('is not made again under the same idempotency key', async () => {
        const draft = newExport({ idempotencyKey: randomUUID(), fingerprint: 'first' })
        const { record } = await records.create(draft)
        const again = await records.create(newExport({ ...draft, id: randomUUID() }))
        expect(again).toEqual({ record, created: false, fingerprint: 'first' })
        const other = await records.create({ ...draft, id: randomUUID(), fingerprint: 'other' })
        expect(other).toEqual({ record, created: false, fingerprint: 'first' })
      })

      it('is made for each who uses the same idempotency key', async () => {
        const draft = { idempotencyKey: randomUUID(), fingerprint: 'same' }
        const names = [{}, { requestedBy: 'team-a' }, { requestedBy: 'team-b' }]
        const outcomes = []
        for (const name of names) {
          outcomes.push(await records.create(newExport({ ...draft, ...name })))
        }
        expect(outcomes.map(({ created }) => created)).toEqual([true, true, true])
        const again = await records.create(newExport({ ...draft, requestedBy: 'team-a' }))
        expect(again).toEqual({ ...outcomes[1], created: false })
      })

      it('is made once when the same key comes many times at once', async () => {
        const idempotencyKey = randomUUID()
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, () => records.create(newExport({ idempotencyKey }))),
        )
        expect(new Set(outcomes.map(({ record }) => record.id)).size).toBe(1)
        expect(outcomes.filter(({ created }) => created)).toHaveLength(1)
      })

      it('is made anew for every request without a key', async () => {
        expect((await create()).id).not.toBe((await create()).id)
      })
    })

    describe('an id that names no export', () => {
      it.each([
        ['unknown', randomUUID()],
        ['malformed', 'no uuid'],
        ['empty', ''],
        ['with SQL in it', "' or true --"],
      ])('is not found: %s', async (_kind, id) => {
        const reads = [
          () => records.get(id),
          () => records.claim(id, live),
          () => records.cancel(id, at).then((found) => found ?? records.get(id)),
          () => records.expire(id, at).then((found) => found ?? records.get(id)),
        ]
        for (const read of reads) await expect(read()).rejects.toThrow(NotFoundError)
      })
    })

    describe('several at once', () => {
      it('come as each comes by itself, those that exist', async () => {
        const [one, two] = [await create(), await running()]
        const found = await records.getMany([two.id, randomUUID(), 'no uuid', one.id, one.id])
        expect(found).toHaveLength(2)
        expect(found).toEqual(expect.arrayContaining([one, two]))
        expect(await records.getMany([])).toEqual([])
      })
    })

    describe('a claim', () => {
      it('takes a queued export, and shows it with its lease', async () => {
        const { id } = await create()
        const record = await records.claim(id, live)
        expect(record).toMatchObject({ id, state: 'running', attempt: 1, failures: 0 })
        expect(record!.leaseUntil!.getTime()).toBeGreaterThan(Date.now() + 30_000)
        expect(record!.startedAt).toBeInstanceOf(Date)
        expect(record!.attemptAt).toEqual(record!.startedAt)
        expect(record).not.toHaveProperty('progressAt')
      })

      it('is refused while another lease lives', async () => {
        const { id } = await running()
        expect(await records.claim(id, live)).toBeUndefined()
        expect(await records.get(id)).toMatchObject({ state: 'running', attempt: 1 })
      })

      it('is won by one of many that come at once', async () => {
        const { id } = await create()
        const claims = await Promise.all(Array.from({ length: 8 }, () => records.claim(id, live)))
        expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1)
      })

      it('takes over a dead lease, and counts a failure when no row was read', async () => {
        const { id, startedAt } = await running(dead)
        const record = await takenOver(id)
        expect(record).toMatchObject({ attempt: 2, failures: 1, highestRows: 0, startedAt })
      })

      it('counts no failure when the dead attempt had come further than any before', async () => {
        const claim = await running()
        await records.progress(claim, { rows: 10, bytes: 100, ...dead })
        const second = await takenOver(claim.id)
        expect(second).toMatchObject({ failures: 0, highestRows: 10 })
        expect(second.progress).toMatchObject({ rows: 0, bytes: 0 })

        await records.progress(second, { rows: 10, bytes: 100, ...dead })
        const third = await takenOver(claim.id)
        expect(third).toMatchObject({ attempt: 3, failures: 1, highestRows: 10 })
      })

      it('begins without the snapshot of the attempt before', async () => {
        const claim = await running()
        await records.progress(claim, { rows: 1, bytes: 9, snapshotAt: at, ...live })
        await records.release(claim)
        const second = await records.claim(claim.id, live)
        expect(second).not.toHaveProperty('snapshotAt')
        expect(second).not.toHaveProperty('progressAt')
      })
    })

    describe('progress', () => {
      it('is shown, and renews the lease', async () => {
        const { id, attempt } = await running(dead)
        const report = { rows: 5, bytes: 50, estimatedRows: 9, snapshotAt: at, ...live }
        expect(await records.progress({ id, attempt }, report)).toBe(true)
        const record = await records.get(id)
        expect(record.progress).toEqual({ rows: 5, bytes: 50, estimatedRows: 9 })
        expect(record.snapshotAt).toEqual(at)
        expect(record.progressAt!.getTime()).toBeGreaterThanOrEqual(record.attemptAt!.getTime())
        expect(record.leaseUntil!.getTime()).toBeGreaterThan(Date.now() + 30_000)
        expect(await records.claim(id, live)).toBeUndefined()
      })

      it('keeps the estimate and the snapshot when a later report leaves them out', async () => {
        const claim = await running()
        await records.progress(claim, {
          rows: 1,
          bytes: 9,
          estimatedRows: 7,
          snapshotAt: at,
          ...live,
        })
        await records.progress(claim, { rows: 2, bytes: 18, ...live })
        const record = await records.get(claim.id)
        expect(record.progress).toEqual({ rows: 2, bytes: 18, estimatedRows: 7 })
        expect(record.snapshotAt).toEqual(at)
      })

      it('counts beyond 32 bits', async () => {
        const claim = await running()
        await records.progress(claim, { rows: 2 ** 33, bytes: 2 ** 45, ...live })
        expect((await records.get(claim.id)).progress).toEqual({ rows: 2 ** 33, bytes: 2 ** 45 })
      })
    })

    describe('an attempt that was taken over', () => {
      it('cannot write progress, complete, fail or give back any more', async () => {
        const old = await running(dead)
        const current = await takenOver(old.id)
        const times = { finishedAt: at, expiresAt: at, snapshotAt: at }
        const failure = { error, again: false, failures: 1, rows: 0, at }
        expect(await records.progress(old, { rows: 1, bytes: 1, ...live })).toBe(false)
        expect(await records.complete(old, newArtifact(), times)).toBe(false)
        expect(await records.fail(old, failure)).toBe(false)
        expect(await records.fail(old, { ...failure, again: true })).toBe(false)
        expect(await records.release(old)).toBe(false)
        expect(await records.get(old.id)).toEqual(current)
      })
    })

    describeTransitions(() => records)
    describeHistory(() => records)
    describeListing(make)
    describeUnattended(make)
    describeTurns(make)
    describeCount(make)
  })
}
