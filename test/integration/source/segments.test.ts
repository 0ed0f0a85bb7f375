import { beforeAll, describe, expect, it } from 'vitest'
import type { Selection } from '../../../src/datasets/dataset.ts'
import { KiB } from '../../../src/runtime/units.ts'
import { artifactSql } from '../../support/artifact-sql.ts'
import { sha256 } from '../../support/chunks.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { presentView } from '../../support/present-view.ts'
import { july, readTexts } from '../../support/read-selection.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let analyzed: TestDatabase
let fresh: TestDatabase
const release = releaseAfterAll()

/**
 * A month, evenly; a burst of one instant; a few in other centuries; and some that only end in that month. Ids
 * do not come in the order of time.
 */
const fill = `
  insert into context_services.services
    (service_id, service_type, started_at, completed_at, extensions)
  select md5(n::text), '100', at, case when n % 3 > 0 then at + n % 5 * interval '7 hours' end,
    jsonb_build_object('n', n, 'text', repeat('é', n % 40))
  from (
    select n, timestamptz '2014-07-01T00:00:00Z' + n * interval '9 minutes 1.000001 seconds' as at
    from generate_series(1, 4000) n
    union all
    select n, timestamptz '2014-07-10T10:00:00.000123Z' from generate_series(10001, 13000) n
    union all
    select n, timestamptz '1999-01-01T00:00:00Z' + (n - 30000) * interval '1 year'
    from generate_series(30001, 30040) n
    union all
    select n, timestamptz '2014-06-30T23:00:00Z' from generate_series(20001, 20100) n
  ) as times (n, at)
  on conflict do nothing`

/** Small ids, so many at one instant that their slice has too many. */
const fillIds = `
  insert into context_services.services (service_id, service_type, started_at)
  select 'burst-' || n, '1', timestamptz '2014-07-20T00:00:00Z' from generate_series(1, 20000) n`

beforeAll(async () => {
  ;[analyzed, fresh] = await Promise.all([createTestDatabase(release), createTestDatabase(release)])
  for (const { pool } of [analyzed, fresh]) {
    await pool.query('alter table context_services.services set (autovacuum_enabled = off)')
    await pool.query(fill)
  }
  await analyzed.pool.query('analyze context_services.services')
})

/** That of the burst. */
const instant = { from: '2014-07-10T10:00:00Z', to: '2014-07-10T10:00:00.000124Z' }
const ever = { ...july, from: '1000-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' }

async function expectedDigest({ pool }: TestDatabase, selection: Selection): Promise<string> {
  const { rows } = await pool.query<{ sha256: string }>(
    `select encode(sha256(convert_to((${artifactSql(selection)}), 'UTF8')), 'hex') as sha256`,
  )
  return rows[0]!.sha256
}

const digestOf = (texts: readonly string[]) => sha256(`[${texts.join(',\n')}]`)

/** Some forty rows of content in each segment. */
const small = { segmentBytes: 8 * KiB, readAheadBytes: 32 * KiB }

describe('an export read in segments has the same bytes', () => {
  it.each([
    ['a month', july],
    ['a range far longer than its events', ever],
    ['completions', { ...july, events: 'completed' }],
    ['starts of what is active', { ...july, events: 'started', state: 'active' }],
    ['ids', { ...july, content: false }],
    ['ids, in a range far longer than they', { ...ever, content: false }],
    ['an instant', { ...july, ...instant }],
  ] as const)('for one, two and five readers: %s', async (_what, selection) => {
    const expected = await expectedDigest(analyzed, selection)
    for (const readers of [1, 2, 5]) {
      const texts = await readTexts(analyzed.url, selection, { readers, ...small })
      expect(digestOf(texts)).toBe(expected)
    }
  })

  it.each([true, false])('where the planner knows nothing (content: %s)', async (content) => {
    const selection = { ...july, content }
    const texts = await readTexts(fresh.url, selection, { readers: 2, ...small })
    expect(digestOf(texts)).toBe(await expectedDigest(fresh, selection))
  })

  it('where a segment holds everything', async () => {
    const texts = await readTexts(analyzed.url, july, { readers: 3 })
    expect(digestOf(texts)).toBe(await expectedDigest(analyzed, july))
  })

  it('where one instant has more ids than a slice may', async () => {
    const database = await createTestDatabase(release)
    await database.pool.query(fill)
    await database.pool.query(fillIds)
    await database.pool.query('analyze context_services.services')
    const selection = { ...july, content: false }
    for (const readers of [1, 2]) {
      const texts = await readTexts(database.url, selection, { readers, ...small })
      expect(digestOf(texts)).toBe(await expectedDigest(database, selection))
    }
  })
})

describe('of a view', () => {
  it('in which ids come twice, no row is lost between two segments', async () => {
    const database = await createTestDatabase(release)
    await database.pool.query(fill)
    await presentView(database.pool, 'services', {
      // several services for each id and instant
      service_id: `left(r.service_id, 2)`,
      completed_at: 'null::timestamptz',
      extensions: `'{}'::jsonb`,
    })
    // the planner expects few of them, so that the first segment ends in the midst of an id
    const selection = { ...july, ...instant, content: true }
    const texts = await readTexts(database.url, selection, { readers: 2, ...small })
    expect(texts).toHaveLength(3000)
  })

  it.each([true, false])(
    'a record without an id is refused, wherever it stands (content: %s)',
    async (content) => {
      const database = await createTestDatabase(release)
      await database.pool.query(fillIds)
      // the last at an instant that has many, of which the planner expects few: it is behind any place
      await presentView(database.pool, 'services', {
        service_id: `nullif(r.service_id, 'burst-7')`,
      })
      const selection = { ...july, from: '2014-07-20T00:00:00Z', content }
      const reading = readTexts(database.url, selection, { readers: 2, ...small })
      await expect(reading).rejects.toThrow('without an id')
    },
  )
})

/** A role that may read, and whatever `grants` do to it. */
async function createReadingRole(grants: (role: string) => string) {
  const database = await createTestDatabase(release)
  await database.pool.query(fill)
  await database.pool.query('analyze context_services.services')
  const role = `reading_${new URL(database.url).pathname.slice(6)}`
  await database.pool.query(`create role ${role} login password 'reading'`)
  release(async () => {
    await database.pool.query(`drop owned by ${role}; drop role ${role}`)
  })
  await database.pool.query(`
    grant usage on schema context_services to ${role};
    grant select on all tables in schema context_services to ${role};
    ${grants(role)}`)
  const url = new URL(database.url)
  url.username = role
  url.password = 'reading'
  return { database, url: url.href }
}

describe('one reader does it alone', () => {
  it.each([
    [
      'where a snapshot cannot be shared',
      () => 'revoke execute on function pg_export_snapshot from public',
    ],
    [
      'where there is no second connection',
      (role: string) => `alter role ${role} connection limit 1`,
    ],
  ])('%s', async (_what, grants) => {
    const { database, url } = await createReadingRole(grants)
    const texts = await readTexts(url, july, { readers: 3, ...small })
    expect(digestOf(texts)).toBe(await expectedDigest(database, july))
  })
})
