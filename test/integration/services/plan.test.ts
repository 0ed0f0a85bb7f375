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

/** How each query reaches the rows of services, and whether it sorts them. */
async function plansOf(events: 'any' | 'started' | 'completed', content: boolean, to: string) {
  const queries = services.queries({
    from: '2014-07-10T00:00:00Z',
    to,
    events,
    state: 'any',
    content,
  })
  return Promise.all(
    queries.map(async ({ text, values }) => {
      const client = await database.pool.connect()
      try {
        // as the row source sets it: see sessionSettings there
        await client.query('set enable_sort = off')
        const result = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
          `explain (format json) ${text}`,
          [...values],
        )
        const plan = result.rows[0]!['QUERY PLAN'][0].Plan
        return {
          scans: flatten(plan)
            .filter((node) => node['Relation Name'] === 'services')
            .map((node) => `${node['Node Type']} ${node['Index Name'] ?? ''}`.trim()),
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

  it('follows one index after the other when any event counts', async () => {
    const plans = await plansOf('any', true, to)
    expect(plans.map((plan) => plan.scans)).toEqual([
      ['Index Scan services_started'],
      ['Index Scan services_completed'],
    ])
    expect(plans.some((plan) => plan.sortsTheWhole)).toBe(false)
  })
})
