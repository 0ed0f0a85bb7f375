import { beforeAll, describe, expect, it } from 'vitest'
import { eventFilters, stateFilters } from '../../../src/datasets/dataset.ts'
import { seedServices } from '../../../src/postgres/seed/seed-services.ts'
import { createTestDatabase } from '../../support/database.ts'
import { evaluateServices } from '../../support/evaluate-services.ts'
import { readReferenceTables } from '../../support/read-reference-tables.ts'
import { readSelection } from '../../support/read-selection.ts'
import type { ReferenceRows } from '../../support/reference-rows.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let url: string
let rows: ReferenceRows
let ranges: readonly (readonly [string, string])[]

const release = releaseAfterAll()
beforeAll(async () => {
  const database = await createTestDatabase(release)
  url = database.url
  const client = await database.pool.connect()
  await seedServices(client, { services: 4_000, seed: 7 })
  client.release()
  rows = await readReferenceTables(database.pool)
  // bounds that are events of services themselves, so that both ends of the range are met
  const times = rows.services
    .flatMap(({ started_at, completed_at }) => [started_at, completed_at ?? started_at])
    .sort()
  const at = (share: number) => times[Math.floor(times.length * share)]!
  ranges = [
    [at(0.2), at(0.5)],
    [at(0.5), at(0.51)],
    ['0001-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z'],
  ]
})

const combinations = eventFilters.flatMap((events) =>
  stateFilters.map((state) => [events, state] as const),
)

describe('an export of seeded services agrees with the rules, evaluated independently', () => {
  it.each(combinations)('ids: events %s, state %s', async (events, state) => {
    for (const [from, to] of ranges) {
      const selection = { from, to, events, state, content: false }
      const ids = await readSelection(url, selection)
      expect(ids).toEqual(evaluateServices(rows, selection))
    }
  })

  it.each(combinations)('documents: events %s, state %s', async (events, state) => {
    for (const [from, to] of ranges) {
      const selection = { from, to, events, state, content: true }
      const documents = await readSelection(url, selection)
      const expected = evaluateServices(rows, selection)
      expect(documents.length).toBe(expected.length)
      // one by one: a difference among thousands would be unreadable
      for (const [index, document] of documents.entries()) {
        expect(document).toEqual(expected[index])
      }
    }
  })

  it('meets services on both bounds of a range', () => {
    const [from, to] = ranges[0]!
    expect(rows.services.filter(({ started_at }) => started_at === from).length).toBeGreaterThan(0)
    expect(
      rows.services.filter(({ started_at, completed_at }) =>
        [started_at, completed_at].includes(to),
      ).length,
    ).toBeGreaterThan(0)
  })
})
