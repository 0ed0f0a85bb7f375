import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { NotFoundError } from '../../src/errors.ts'
import type { ExportRecords, UnattendedQuery } from '../../src/export/ports.ts'
import { newExport } from '../support/new-export.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { until } from '../support/until.ts'
import type { MakeExportRecords } from './export-records-listing.ts'

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second))

/** Exports that nobody runs, on records that hold nothing else. */
export function describeUnattended(make: MakeExportRecords): void {
  describe('the exports that nobody runs', () => {
    let records: ExportRecords
    const release = releaseAfterAll()
    beforeAll(async () => {
      records = await make(release)
    })

    const create = async (second: number) =>
      (await records.create(newExport({ createdAt: at(second) }))).record
    const list = async (query: Partial<UnattendedQuery> = {}) =>
      records.listUnattended({ before: at(59), limit: 100, after: undefined, ...query })
    const idsOf = async (query: Partial<UnattendedQuery> = {}) =>
      (await list(query)).map(({ id }) => id)

    it('are the queued ones, and the running ones whose lease has ended, oldest first', async () => {
      const queued = await create(3)
      const dead = await create(1)
      await records.claim(dead.id, { leaseMs: 1 })
      const live = await create(2)
      await records.claim(live.id, { leaseMs: 60_000 })
      const canceled = await create(2)
      await records.cancel(canceled.id, at(9))
      const found = await until(async () => {
        const ids = await idsOf()
        return ids.length === 2 && ids
      })
      expect(found).toEqual([dead.id, queued.id])
      expect((await list())[1]).toEqual(queued)
      expect(await idsOf({ before: at(3) })).toEqual([dead.id])
      expect(await idsOf({ limit: 1 })).toEqual([dead.id])
      const [first] = await list()
      expect(await idsOf({ after: { createdAt: first!.createdAt, id: first!.id } })).toEqual([
        queued.id,
      ])
      for (const { id } of [queued, dead, live]) await records.cancel(id, at(9))
    })

    it('come one after another also when they were created in the same moment', async () => {
      const created = [await create(5), await create(5), await create(5)]
      const seen: string[] = []
      for (let after: UnattendedQuery['after']; ;) {
        const [next] = await list({ limit: 1, after })
        if (next === undefined) break
        seen.push(next.id)
        after = { createdAt: next.createdAt, id: next.id }
      }
      expect(seen).toEqual(created.map(({ id }) => id).sort())
      for (const id of seen) await records.cancel(id, at(9))
    })

    it('are dispatched again under one more number, by one of many that try', async () => {
      const { id } = await create(7)
      const tries = await Promise.all(Array.from({ length: 5 }, () => records.redispatch(id, 1)))
      const won = tries.filter((record) => record !== undefined)
      expect(won).toHaveLength(1)
      expect(won[0]).toMatchObject({ id, state: 'queued', dispatch: 2, attempt: 0 })
      expect(await records.redispatch(id, 1)).toBeUndefined()
      await records.cancel(id, at(9))
      expect(await records.redispatch(id, 2)).toBeUndefined()
      await expect(records.redispatch(randomUUID(), 1)).rejects.toThrow(NotFoundError)
    })
  })
}
