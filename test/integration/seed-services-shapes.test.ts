import { beforeAll, describe, expect, it } from 'vitest'
import { seedServices } from '../../src/postgres/seed/seed-services.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'

const services = 20_000

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release)
  const client = await database.pool.connect()
  await seedServices(client, { services, seed: 1 })
  client.release()
})

/** How many rows of a table fulfil a condition. */
async function count(table: 'services' | 'states' | 'tasks', condition: string): Promise<number> {
  const { rows } = await database.pool.query<{ rows: number }>(
    `select count(*)::integer as rows from context_services.${table} as r where ${condition}`,
  )
  return rows[0]!.rows
}

/** The size of the largest group of services with the same value. */
async function largestGroup(column: string): Promise<number> {
  const { rows } = await database.pool.query<{ rows: number }>(
    `select count(*)::integer as rows from context_services.services
     where ${column} is not null group by ${column} order by 1 desc limit 1`,
  )
  return rows[0]!.rows
}

describe('seeded services', () => {
  it('are open, one in three', async () => {
    const open = (await count('services', 'completed_at is null')) / services
    expect(open).toBeGreaterThan(0.32)
    expect(open).toBeLessThan(0.35)
  })

  it('start, and end, many at the very same microsecond', async () => {
    expect(await largestGroup('started_at')).toBeGreaterThan(150)
    expect(await largestGroup('completed_at')).toBeGreaterThan(5)
  })

  it('are mostly of a common size, with one huge document in 20,000', async () => {
    const { rows } = await database.pool.query<{ average: number }>(
      `select avg(octet_length(r::text))::integer as average from context_services.services r`,
    )
    expect(rows[0]!.average).toBeGreaterThan(450)
    expect(rows[0]!.average).toBeLessThan(800)
    expect(
      await count('services', 'octet_length(extensions::text) between 100000 and 400000'),
    ).toBe(1)
  })

  it.each([
    ['end before they start', 'completed_at < started_at'],
    ['end when they start', 'completed_at = started_at'],
    ['start long before the span', `started_at < '2014-07-01Z'`],
    ['start in the far future', `started_at > '2040-01-01Z'`],
    ['end in the far future', `started_at < '2014-08-01Z' and completed_at > '2040-01-01Z'`],
    [
      'have a context of a completion that did not happen',
      'completed_at is null and completed is not null',
    ],
    ['end without a context', 'completed_at is not null and completed is null'],
    ['have nulls in a context', `started @? '$.* ? (@ == null)'`],
    ['have a time of its own in a context', `started ? 'timestamp'`],
    ['have an extension called completed', `extensions ? 'completed'`],
    ['have an extension called timestamp', `extensions ? 'timestamp'`],
    ['have an extension that is null', `extensions @? '$.* ? (@ == null)'`],
    ['have an extension without a name', `extensions ? ''`],
    ['have control characters in an extension', `extensions->>'Remark' ~ '[\\u0001-\\u001f]'`],
    ['have line separators in an extension', `extensions::text like '%\u2028%'`],
    ['have astral characters in an extension', `extensions::text like '%😀%'`],
    ['have a description with a backslash', `disposition_desc like '%\\\\%'`],
    ['have an empty description', `disposition_desc = ''`],
    ['are anonymous', 'customer_id is null'],
    ['have an id with a space', `service_id like '% %'`],
    ['have an id with a quote', `service_id like '%"%'`],
    ['have an id with a slash', `service_id like '%/%'`],
    ['have an id beyond ASCII', `octet_length(service_id) > length(service_id)`],
    ['belong to another tenant', `tenant_id <> 'default'`],
    [
      'have no states',
      'not exists (select from context_services.states s where s.service_id = r.service_id)',
    ],
    [
      'have no tasks',
      'not exists (select from context_services.tasks t where t.service_id = r.service_id)',
    ],
  ])('%s, some of them', async (_, condition) => {
    const some = await count('services', condition)
    expect(some).toBeGreaterThan(0)
    expect(some).toBeLessThan(services / 2)
  })

  it.each([
    ['tasks straight on the service', 'tasks', 'state_id is null'],
    [
      'tasks whose state does not exist',
      'tasks',
      `state_id is not null and not exists (
        select from context_services.states s where s.service_id = r.service_id and s.state_id = r.state_id)`,
    ],
    [
      'tasks on a state',
      'tasks',
      'exists (select from context_services.states s where s.service_id = r.service_id and s.state_id = r.state_id)',
    ],
    ['states that follow another', 'states', 'previous_state_id is not null'],
    ['states with an extension called duration', 'states', `extensions ? 'duration'`],
    ['tasks with an extension called started', 'tasks', `extensions ? 'started'`],
    [
      'open states though they are completed themselves',
      'states',
      `completed_at is null and exists (
        select from context_services.services s where s.service_id = r.service_id and s.completed_at is not null)`,
    ],
    ['states whose order by bytes is not that by number', 'states', `state_id = '10'`],
  ] as const)('have %s', async (_, table, condition) => {
    expect(await count(table, condition)).toBeGreaterThan(0)
  })
})
