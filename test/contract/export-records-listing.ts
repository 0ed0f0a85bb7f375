import { beforeAll, describe, expect, it } from 'vitest'
import { SpecError } from '../../src/errors.ts'
import type { ExportRecords, ListQuery } from '../../src/export/ports.ts'
import { newExport } from '../support/new-export.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import type { Release } from '../support/release.ts'

/** Makes records that hold no export yet. */
export type MakeExportRecords = (release: Release) => ExportRecords | Promise<ExportRecords>

const at = new Date('2026-01-02T04:00:00.000Z')

/** Listing, on records that hold nothing else. */
export function describeListing(make: MakeExportRecords): void {
  describe('the list', () => {
    let records: ExportRecords
    /** Newest first. */
    let ids: readonly string[]

    const release = releaseAfterAll()
    beforeAll(async () => {
      records = await make(release)
      // the last three were created in the same millisecond: the id decides
      const seconds = [1, 2, 3, 4, 5, 5, 5]
      const drafts = seconds.map((second) =>
        newExport({ createdAt: new Date(Date.UTC(2026, 0, 1, 0, 0, second)) }),
      )
      for (const draft of drafts) await records.create(draft)
      ids = drafts
        .map(({ id, createdAt }) => ({ id, key: `${createdAt.toISOString()} ${id}` }))
        .sort((a, b) => (a.key < b.key ? 1 : -1))
        .map(({ id }) => id)
      await records.cancel(ids[1]!, at)
      await records.cancel(ids[4]!, at)
    })

    async function pages(query: ListQuery): Promise<readonly (readonly string[])[]> {
      const { exports, nextCursor } = await records.list(query)
      const page = exports.map(({ id }) => id)
      return nextCursor === undefined
        ? [page]
        : [page, ...(await pages({ ...query, cursor: nextCursor }))]
    }

    it('shows the newest first, and the same ones as get', async () => {
      const { exports } = await records.list({ limit: 100 })
      expect(exports.map(({ id }) => id)).toEqual(ids)
      expect(exports[1]).toEqual(await records.get(ids[1]!))
    })

    it.each([1, 2, 3, 5, 6, 7, 8])('pages by %i: each export once, in order', async (limit) => {
      const found = await pages({ limit })
      expect(found.flat()).toEqual(ids)
      expect(found).toHaveLength(Math.ceil(ids.length / limit))
    })

    it('shows one state only, page by page', async () => {
      expect(await pages({ state: 'canceled', limit: 1 })).toEqual([[ids[1]], [ids[4]]])
      expect(await pages({ state: 'completed', limit: 1 })).toEqual([[]])
    })

    it('shows those of one key only, page by page', async () => {
      const name = 'team-a'
      const own = [6, 7, 8].map((second) =>
        newExport({ requestedBy: name, createdAt: new Date(Date.UTC(2025, 0, 1, 0, 0, second)) }),
      )
      for (const draft of own) await records.create(draft)
      const found = await pages({ requestedBy: name, limit: 2 })
      expect(found).toEqual([[own[2]!.id, own[1]!.id], [own[0]!.id]])
      expect((await records.get(own[0]!.id)).requestedBy).toBe(name)
      expect(await pages({ requestedBy: 'team', limit: 2 })).toEqual([[]])
      // the others of this list expect to be alone
      for (const { id } of own) await records.cancel(id, at)
    })

    it('does not shift when a newer export comes between two pages', async () => {
      const first = await records.list({ limit: 2, state: 'queued' })
      const { record } = await records.create(newExport({ createdAt: at }))
      const second = await records.list({ limit: 2, state: 'queued', cursor: first.nextCursor! })
      await records.cancel(record.id, at)
      const shown = [...first.exports, ...second.exports].map(({ id }) => id)
      expect(shown).toEqual([ids[0], ids[2], ids[3], ids[5]])
    })

    const forged = (text: string) => Buffer.from(text).toString('base64url')
    it.each([
      ['empty', ''],
      ['garbage', '???'],
      ['an id alone', '8c1f5b4e-3a51-4b6e-9f0e-0d8f2f4f9a11'],
      ['a time that is none', forged('yesterday/8c1f5b4e-3a51-4b6e-9f0e-0d8f2f4f9a11')],
      ['a time that only JavaScript reads', forged('1/8c1f5b4e-3a51-4b6e-9f0e-0d8f2f4f9a11')],
    ])('refuses a cursor that is not one of its own: %s', async (_kind, cursor) => {
      const refused = records.list({ limit: 1, cursor })
      await expect(refused).rejects.toThrow(SpecError)
      await expect(refused).rejects.toThrow(/^cursor: /)
    })
  })
}
