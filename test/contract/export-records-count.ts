import { beforeAll, describe, expect, it } from 'vitest'
import type { ExportRecords } from '../../src/export/ports.ts'
import { newExport, newSpec } from '../support/new-export.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import type { MakeExportRecords } from './export-records-listing.ts'

/** Counting, on records that hold nothing else. */
export function describeCount(make: MakeExportRecords): void {
  describe('the count of exports that have not finished', () => {
    let records: ExportRecords
    const release = releaseAfterAll()
    beforeAll(async () => {
      records = await make(release)
    })

    it('is by dataset and by what they wait for, with the age of the oldest', async () => {
      expect(await records.countUnfinished()).toEqual([])
      const ago = (seconds: number) => new Date(Date.now() - seconds * 1000)
      const create = async (seconds: number, dataset: string) => {
        const draft = { createdAt: ago(seconds), requestedBy: 'anna', spec: newSpec({ dataset }) }
        return (await records.create(newExport(draft))).record
      }
      await create(100, 'services')
      await create(500, 'services')
      const { id: canceled } = await create(900, 'services')
      await records.cancel(canceled, new Date())
      const one = { leaseMs: 60_000, perKey: 1 }
      await records.claim((await create(50, 'others')).id, one)
      await records.claim((await create(40, 'others')).id, one)
      const counts = await records.countUnfinished()
      const shown = counts
        .map((each) => ({ ...each, oldestSeconds: Math.round(each.oldestSeconds / 10) * 10 }))
        .sort((a, b) => (a.dataset + a.state).localeCompare(b.dataset + b.state))
      expect(shown).toEqual([
        { dataset: 'others', state: 'held_back', count: 1, oldestSeconds: 40 },
        { dataset: 'others', state: 'running', count: 1, oldestSeconds: 50 },
        { dataset: 'services', state: 'queued', count: 2, oldestSeconds: 500 },
      ])
    })
  })
}
