import { afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { seedServices, type SeedOptions } from '../../src/postgres/seed/seed-services.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release)
})

const empty = () =>
  database.pool.query(
    'truncate context_services.services, context_services.states, context_services.tasks',
  )

async function seed(options: Partial<SeedOptions> = {}, { pool } = database) {
  const client = await pool.connect()
  try {
    return await seedServices(client, { services: 1000, seed: 1, ...options })
  } finally {
    client.release()
  }
}

/** Over every byte of every row, in an order that no locale changes. */
async function digest(): Promise<Record<'services' | 'states' | 'tasks', string>> {
  const md5 = (table: string) => `
    (select md5(string_agg(r::text, '' order by r::text collate "C")) from context_services.${table} r) as ${table}`
  const client = await database.pool.connect()
  try {
    await client.query(`set time zone 'UTC'`)
    const { rows } = await client.query<Record<'services' | 'states' | 'tasks', string>>(
      `select ${md5('services')}, ${md5('states')}, ${md5('tasks')}`,
    )
    return rows[0]!
  } finally {
    client.release()
  }
}

async function countServices(condition: string): Promise<number> {
  const { rows } = await database.pool.query<{ services: number }>(
    `select count(*)::integer as services from context_services.services where ${condition}`,
  )
  return rows[0]!.services
}

describe('seedServices', () => {
  afterEach(empty)

  it('makes the same rows for the same seed, and others for another', async () => {
    const seeded = await seed()
    expect(seeded).toMatchObject({ services: 1000, states: 2000, tasks: 2000 })
    const first = await digest()
    await empty()
    await seed()
    expect(await digest()).toEqual(first)
    await empty()
    await seed({ seed: 2 })
    const other = await digest()
    expect(other.services).not.toBe(first.services)
    expect(other.states).not.toBe(first.states)
    expect(other.tasks).not.toBe(first.tasks)
  })

  it('makes the rows that are known for seed 1, on every version of PostgreSQL', async () => {
    await seed()
    expect(await digest()).toEqual({
      services: '58368bd11b174f21c02bc71743ecebc5',
      states: 'db6b20e9fe8be90dec57ca8bdb35cfd8',
      tasks: '60fde98ce9f3544a45729e74e63ccdb7',
    })
  })

  it('begins with the same services, whatever the total', async () => {
    await seed({ services: 1600 })
    const whole = await digest()
    await empty()
    await seed({ services: 160 })
    expect(await seed({ services: 1600 })).toMatchObject({ services: 1440, states: 2880 })
    expect(await digest()).toEqual(whole)
  })

  it('leaves alone what is there, and adds what is missing', async () => {
    await seed()
    const whole = await digest()
    expect(await seed()).toMatchObject({ services: 0, states: 0, tasks: 0 })
    expect(await digest()).toEqual(whole)

    await database.pool.query('delete from context_services.tasks')
    await database.pool.query(`delete from context_services.services where extensions = '{}'`)
    await seed()
    expect(await digest()).toEqual(whole)
  })

  it('adds the services of another seed to those of the first', async () => {
    await seed()
    expect(await seed({ seed: -2 })).toMatchObject({ services: 1000, states: 2000, tasks: 2000 })
  })

  it('keeps to the span it is given, but for a few', async () => {
    const from = new Date('2020-02-01T00:00:00Z')
    await seed({ from, to: new Date('2020-02-01T01:00:00Z') })
    const inside = await countServices(
      `started_at >= '2020-02-01 00:00Z' and started_at < '2020-02-01 01:00Z'`,
    )
    expect(inside).toBeGreaterThan(950)
    expect(inside).toBeLessThan(1000)
  })

  it('tells how far it is, and stops between two chunks when asked to', async () => {
    const stop = new AbortController()
    const reason = new RangeError('enough')
    const progress: number[] = []
    const onProgress = (services: number) => {
      progress.push(services)
      stop.abort(reason)
    }
    const work = seed({ services: 100_000, onProgress, signal: stop.signal })
    await expect(work).rejects.toBe(reason)
    expect(progress).toEqual([20_000])
    expect(await countServices('true')).toBe(20_000)
  })

  it.each([{ services: 0 }, { services: 1.5 }, { seed: 0.1 }, { seed: NaN }, { to: new Date(0) }])(
    'refuses %o',
    async (options) => {
      await expect(seed(options)).rejects.toMatchObject({ code: 'SPEC_INVALID' })
    },
  )

  it('says what to do when there are no reference tables', async () => {
    const plain = await createTestDatabase(onTestFinished, { reference: false })
    await expect(seed({}, plain)).rejects.toMatchObject({
      code: 'SOURCE_QUERY_FAILED',
      message: 'The reference tables do not exist.',
      hint: 'Run `longhaul migrate --reference-schema` first.',
    })
  })
})
