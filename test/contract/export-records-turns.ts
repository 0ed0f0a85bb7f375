import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { NotFoundError } from '../../src/errors.ts'
import type { ExportRecord, NewExport } from '../../src/export/model.ts'
import type { ExportRecords } from '../../src/export/ports.ts'
import { newExport } from '../support/new-export.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { until } from '../support/until.ts'
import type { MakeExportRecords } from './export-records-listing.ts'

const now = new Date('2026-01-02T04:00:00.000Z')
const two = { leaseMs: 60_000, perKey: 2 }
const admitTwo = { perKey: 2, limit: 100 }

/** How many exports of one key run at once. */
export function describeTurns(make: MakeExportRecords): void {
  describe('the exports of a key that may run two at once', () => {
    let records: ExportRecords
    const release = releaseAfterAll()
    beforeAll(async () => {
      records = await make(release)
    })

    /** New ones of a new key, the oldest first. */
    async function create(count: number, facts: Partial<NewExport> = {}) {
      const requestedBy = randomUUID()
      const drafts = Array.from({ length: count }, (_, second) =>
        newExport({
          createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, second)),
          requestedBy,
          ...facts,
        }),
      )
      const created: ExportRecord[] = []
      for (const draft of drafts) created.push((await records.create(draft)).record)
      return { requestedBy, ids: created.map(({ id }) => id) }
    }
    const claimAll = async (ids: readonly string[]) => {
      const claimed: (ExportRecord | undefined)[] = []
      for (const id of ids) claimed.push(await records.claim(id, two))
      return claimed.flatMap((record) => record?.id ?? [])
    }
    const unattended = async () => {
      const query = { before: now, limit: 1000, after: undefined }
      return (await records.listUnattended(query)).map(({ id }) => id)
    }

    it('are held back beyond two, and are queued as they were', async () => {
      const { ids, requestedBy } = await create(4)
      expect(await claimAll(ids)).toEqual(ids.slice(0, 2))
      const [, , third, fourth] = await Promise.all(ids.map((id) => records.get(id)))
      expect(third).toMatchObject({ state: 'queued', heldBack: true, attempt: 0, history: [] })
      expect(fourth).toMatchObject({ state: 'queued', heldBack: true })
      expect(await records.keysHeldBack()).toContain(requestedBy)
      expect(await unattended()).not.toContain(third!.id)
    })

    it('are not in the way of another key, nor of whoever has none', async () => {
      const first = await create(3)
      await claimAll(first.ids)
      const { ids } = await create(1)
      expect(await claimAll(ids)).toEqual(ids)
      const drafts = [newExport(), newExport(), newExport()]
      for (const draft of drafts) await records.create(draft)
      expect(await claimAll(drafts.map(({ id }) => id))).toHaveLength(3)
    })

    it('are admitted in their order, under one more number, as places become free', async () => {
      const { ids, requestedBy } = await create(5)
      await claimAll(ids)
      expect(await records.admit(requestedBy, admitTwo)).toEqual([])
      const running = await records.get(ids[0]!)
      await records.release(running)
      await records.cancel(ids[0]!, now)
      expect(await records.admit(requestedBy, admitTwo)).toEqual([{ id: ids[2]!, dispatch: 2 }])
      const admitted = await records.get(ids[2]!)
      expect(admitted).toMatchObject({ state: 'queued', dispatch: 2 })
      expect(admitted.heldBack).toBeUndefined()
      expect(await unattended()).toContain(ids[2]!)
      expect(await claimAll([ids[2]!])).toEqual([ids[2]!])
      expect(await records.admit(requestedBy, admitTwo)).toEqual([])
    })

    it('wait behind older ones that are held back, even when there is a place', async () => {
      const { ids } = await create(4)
      await claimAll(ids.slice(0, 3))
      await records.cancel(ids[0]!, now)
      expect(await claimAll([ids[3]!])).toEqual([])
      expect(await claimAll([ids[2]!])).toEqual([ids[2]!])
      expect((await records.get(ids[2]!)).heldBack).toBeUndefined()
    })

    it('no longer wait once they are canceled', async () => {
      const { ids, requestedBy } = await create(3)
      await claimAll(ids)
      const canceled = await records.cancel(ids[2]!, now)
      expect(canceled!.heldBack).toBeUndefined()
      expect(await records.keysHeldBack()).not.toContain(requestedBy)
      await records.cancel(ids[1]!, now)
      expect(await records.admit(requestedBy, admitTwo)).toEqual([])
    })

    it('are admitted with the trace, and the place in an archive, that they belong to', async () => {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
      const archive = { name: 'services', date: '2026-01-01', generation: 1 }
      const { ids, requestedBy } = await create(3, { traceparent, archive })
      await claimAll(ids)
      await records.cancel(ids[0]!, now)
      const [admitted] = await records.admit(requestedBy, admitTwo)
      expect(admitted).toEqual({ id: ids[2], dispatch: 2, traceparent, archive })
      expect((await records.get(ids[0]!)).traceparent).toBe(traceparent)
    })

    it('are all admitted when there is no such limit any more', async () => {
      const { ids, requestedBy } = await create(6)
      await claimAll(ids)
      const all = await records.admit(requestedBy, { perKey: undefined, limit: 100 })
      expect(all.map(({ id }) => id)).toEqual(ids.slice(2))
    })

    it('never run more than two at once, however many are claimed at the same time', async () => {
      const { ids, requestedBy } = await create(12)
      const claimed = await Promise.all(ids.map((id) => records.claim(id, two)))
      expect(claimed.filter((record) => record !== undefined)).toHaveLength(2)
      for (const { id } of claimed.filter((record) => record !== undefined)) {
        await records.cancel(id, now)
      }
      // many that look for the next ones at once find each of them once
      const looks = await Promise.all(
        Array.from({ length: 5 }, () => records.admit(requestedBy, admitTwo)),
      )
      const admitted = looks.flat().map(({ id }) => id)
      expect(new Set(admitted).size).toBe(admitted.length)
    })

    it('are taken over from a dead worker, whatever else runs', async () => {
      const { ids } = await create(3)
      await records.claim(ids[0]!, { leaseMs: 1, perKey: 2 })
      await claimAll(ids.slice(1))
      const again = await until(() => records.claim(ids[0]!, two), { what: 'the lease to end' })
      expect(again).toMatchObject({ attempt: 2, state: 'running' })
    })

    it('are nobody’s when there is no such export', async () => {
      await expect(records.claim(randomUUID(), two)).rejects.toThrow(NotFoundError)
      await expect(records.claim('x', two)).rejects.toThrow(NotFoundError)
      expect(await records.admit('nobody', admitTwo)).toEqual([])
    })
  })
}
