import { beforeAll, describe, expect, it } from 'vitest'
import { services } from '../../../src/datasets/services.ts'
import { seedServices } from '../../../src/postgres/seed/seed-services.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let database: TestDatabase

const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release)
  const client = await database.pool.connect()
  await seedServices(client, { services: 20_000, seed: 1 })
  client.release()
})

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly Plans?: readonly PlanNode[]
}

const flatten = (node: PlanNode): readonly PlanNode[] => [
  node,
  ...(node.Plans ?? []).flatMap(flatten),
]

/** How each query reaches the rows of services, by which indexes, and whether it sorts them. */
async function plansOf(
  events: 'any' | 'started' | 'completed',
  content: boolean,
  to: string,
  from = '2014-07-10T00:00:00Z',
) {
  const queries = services.queries({
    from,
    to,
    events,
    state: 'any',
    content,
  })
  return Promise.all(
    queries.map(async ({ text, values, mayBeSorted }) => {
      const client = await database.pool.connect()
      try {
        // as the reader sets it
        await client.query(`set enable_sort = ${mayBeSorted ? 'on' : 'off'}`)
        const result = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
          `explain (format json) ${text}`,
          [...values],
        )
        const plan = result.rows[0]!['QUERY PLAN'][0].Plan
        return {
          scans: flatten(plan)
            .filter((node) => node['Relation Name'] === 'services')
            .map((node) => `${node['Node Type']} ${node['Index Name'] ?? ''}`.trim()),
          indexes: flatten(plan).flatMap((node) => node['Index Name'] ?? []),
          sortsTheWhole: plan['Node Type'] === 'Sort',
        }
      } finally {
        await client.query('reset enable_sort')
        client.release()
      }
    }),
  )
}

describe.each([
  ['a day', '2014-07-11T00:00:00Z'],
  ['everything', '2030-01-01T00:00:00Z'],
])('the plan for %s', (_, to) => {
  it.each([true, false])('follows the index of starts (content: %s)', async (content) => {
    const [plan] = await plansOf('started', content, to)
    expect(plan!.sortsTheWhole).toBe(false)
    expect(plan!.scans).toEqual([expect.stringMatching(/^Index (Only )?Scan services_started$/)])
  })

  it.each([true, false])('follows the index of completions (content: %s)', async (content) => {
    const [plan] = await plansOf('completed', content, to)
    expect(plan!.sortsTheWhole).toBe(false)
    expect(plan!.scans).toEqual([expect.stringMatching(/^Index (Only )?Scan services_completed$/)])
  })
})

describe('the plans for any event', () => {
  it('of a day follow one index after the other', async () => {
    const [first, second] = await plansOf('any', true, '2014-07-11T00:00:00Z')
    expect(first!.indexes[0]).toBe('services_started')
    expect(second!.indexes[0]).toBe('services_completed')
    expect(first!.sortsTheWhole).toBe(false)
  })

  it('of nearly everything do not read all completions again', async () => {
    const everything = ['2030-01-01T00:00:00Z', '2014-07-01T01:00:00Z'] as const
    const [first, second] = await plansOf('any', true, ...everything)
    expect(first!.indexes[0]).toBe('services_started')
    expect(second!.indexes[0]).toBe('services_started')
  })
})
