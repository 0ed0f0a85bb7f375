import { beforeAll, describe, expect, it } from 'vitest'
import { ask, post } from '../support/ask.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectExport, expectList, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem
/** Oldest first. */
const ids: string[] = []

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { worker: false })
  for (let i = 0; i < 25; i++) {
    ids.push(expectExport(await post(system.url, '/exports', fixtureRange), 202).id)
  }
  // a second between them, but nine of one moment: paging must not lose or repeat those
  await system.database.pool.query(
    `update longhaul.exports
     set created_at = timestamptz '2026-01-02T03:04:05.678Z' + greatest(position, 9) * interval '1 s'
     from unnest($1::uuid[]) with ordinality as made (made_id, position)
     where id = made_id`,
    [ids],
  )
  for (const id of ids.slice(20, 23)) await post(system.url, `/exports/${id}/cancel`, {})
})

const list = (query = '') => ask(system.url, 'GET', `/exports${query}`)

/** All pages, by the cursors. */
async function pages(query: string) {
  const found: string[][] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const suffix = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const page = expectList(await list(`${query}${suffix}`))
    found.push(page.exports.map((view) => view.id))
    cursor = page.next_cursor
    expect(found.length).toBeLessThan(50)
  }
  return found
}

const refused = async (query: string) => expectProblem(await list(query), 400, 'SPEC_INVALID')

describe('GET /exports', () => {
  it('shows the newest first, twenty unless told otherwise', async () => {
    const answer = await list()
    const { exports, next_cursor: next } = expectList(answer)
    const times = exports.map((view) => view.created_at)
    expect(times).toEqual([...times].sort().reverse())
    expect(exports.slice(0, 16).map((view) => view.id)).toEqual([...ids].reverse().slice(0, 16))
    expect(exports).toHaveLength(20)
    expect(next).not.toBeNull()
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('shows each export as GET /exports/{id} does', async () => {
    const { exports } = expectList(await list('?limit=1'))
    const one = await ask(system.url, 'GET', `/exports/${exports[0]!.id}`)
    expect(exports[0]).toStrictEqual(expectExport(one, 200))
  })

  it.each([1, 4, 5, 24, 25, 26, 100])(
    'pages through all of them without gap or repeat, %i at a time',
    async (limit) => {
      const found = await pages(`?limit=${limit}`)
      expect(found.flat()).toHaveLength(25)
      expect(new Set(found.flat())).toEqual(new Set(ids))
      expect(found.flat().slice(0, 16)).toEqual([...ids].reverse().slice(0, 16))
      expect(found).toHaveLength(Math.ceil(25 / limit))
    },
  )

  it('keeps its place when newer exports come in', async () => {
    const first = expectList(await list('?limit=8'))
    const { id } = expectExport(await post(system.url, '/exports', fixtureRange), 202)
    const second = expectList(await list(`?limit=8&cursor=${first.next_cursor ?? ''}`))
    await system.database.pool.query('delete from longhaul.exports where id = $1', [id])
    expect(second.exports.map((view) => view.id)).toEqual([...ids].reverse().slice(8, 16))
  })

  it('filters by state, also across pages', async () => {
    const canceled = [...ids.slice(20, 23)].reverse()
    expect((await pages('?state=canceled')).flat()).toEqual(canceled)
    expect((await pages('?state=canceled&limit=2')).map((page) => page.length)).toEqual([2, 1])
    expect((await pages('?state=queued&limit=10')).flat()).toHaveLength(22)
    expect(expectList(await list('?state=failed'))).toEqual({ exports: [], next_cursor: null })
  })

  it('is 200 with no exports after the last one', async () => {
    const all = expectList(await list('?limit=24'))
    const rest = expectList(await list(`?limit=24&cursor=${all.next_cursor ?? ''}`))
    expect(rest.exports).toHaveLength(1)
    expect(rest.next_cursor).toBeNull()
  })
})

describe('GET /exports refuses', () => {
  it.each(['0', '-1', '101', '1.5', 'ten', '', '%20', '9'.repeat(40)])(
    'limit=%s',
    async (limit) => {
      expect((await refused(`?limit=${limit}`)).detail).toMatch(/^limit: expected .*, got /)
    },
  )

  it('the limit in words that a person understands', async () => {
    expect((await refused('?limit=1.5')).detail).toMatch(/expected a(n integer| whole number)/)
  })

  it.each(['done', 'QUEUED', '', 'queued,failed'])('state=%s, naming the states', async (state) => {
    const { detail } = await refused(`?state=${state}`)
    expect(detail).toMatch(/^state: expected .*"queued".*"expired", got "/)
  })

  it.each(['limit=1&limit=2', 'state=queued&state=failed', 'cursor=a&cursor=b'])(
    'a parameter that is given twice: %s',
    async (query) => {
      const { detail } = await refused(`?${query}`)
      expect(detail).toContain(`${query.slice(0, query.indexOf('='))}: expected `)
    },
  )

  it.each(['offset=1', 'Limit=1', 'limit%5B%5D=1', 'x', '__proto__=1', 'constructor=1'])(
    'an unknown parameter: %s',
    async (query) => {
      const name = decodeURIComponent(query.replace(/=.*/, ''))
      const { detail } = await refused(`?${query}`)
      expect(detail).toContain(`${name}: unknown parameter`)
      expect(detail).toContain('limit')
    },
  )

  const forged = (text: string) => Buffer.from(text).toString('base64url')
  const uuid = '11111111-1111-4111-8111-111111111111'
  it.each([
    ['nothing', ''],
    ['noise', 'abc'],
    ['other characters', '%F0%9F%92%BE'],
    ['a NUL', '%00'],
    ['an id', uuid],
    ['a time alone', forged('2026-01-02T03:04:05.678Z')],
    ['a year for a time', forged(`2026/${uuid}`)],
    ['a time in words', forged(`2 Jan 2026 (noon)/${uuid}`)],
    ['a year beyond PostgreSQL', forged(`+275760-09-12T00:00:00.000Z/${uuid}`)],
    ['an impossible day', forged(`2026-02-30T00:00:00.000Z/${uuid}`)],
    ['a time with a NUL', forged(`2026-01-02T03:04:05.678Z\u0000/${uuid}`)],
    ['SQL', forged(`2026-01-02T03:04:05.678Z/${uuid}' or true`)],
    ['something long', 'x'.repeat(3000)],
  ])('a cursor that is %s', async (_what, cursor) => {
    const { detail } = await refused(`?cursor=${cursor}`)
    expect(detail).toMatch(/^cursor: expected .*, got "/)
    expect(detail.length).toBeLessThan(300)
  })
})
