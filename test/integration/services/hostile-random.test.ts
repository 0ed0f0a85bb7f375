import { randomInt } from 'node:crypto'
import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { eventFilters, stateFilters } from '../../../src/datasets/dataset.ts'
import { artifactSql } from '../../support/artifact-sql.ts'
import { createTestDatabase } from '../../support/database.ts'
import { evaluateServices } from '../../support/evaluate-services.ts'
import { randomServices } from '../../support/random-services.ts'
import { readTexts } from '../../support/read-selection.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

/** The same on every run, and one that no run had before. */
const seeds = [1, 2, 3, randomInt(2 ** 31)]

let url: string
let pool: pg.Pool

const release = releaseAfterAll()
beforeAll(async () => {
  ;({ url, pool } = await createTestDatabase(release))
})

async function load(seed: number) {
  const rows = randomServices(seed, 100)
  for (const table of ['services', 'states', 'tasks'] as const) {
    await pool.query(`truncate context_services.${table}`)
    const columns = Object.keys(rows[table][0]!).join(', ')
    await pool.query(
      `insert into context_services.${table} (${columns})
       select ${columns} from json_populate_recordset(null::context_services.${table}, $1)`,
      [JSON.stringify(rows[table].map((row) => ({ ...row, ...parsed(row) })))],
    )
  }
  return rows
}

/** The columns of type jsonb as JSON, not as a text that holds it. */
const parsed = ({
  started,
  completed,
  extensions,
}: Readonly<Record<'started' | 'extensions', string>> & { readonly completed: string | null }) => ({
  started: JSON.parse(started) as unknown,
  completed: completed === null ? null : (JSON.parse(completed) as unknown),
  extensions: JSON.parse(extensions) as unknown,
})

const range = { from: '2014-07-22T12:10:00.000999Z', to: '2014-07-22T12:40:00.999999Z' } as const

const filters = eventFilters.flatMap((events) =>
  stateFilters.flatMap((state) =>
    [true, false].map((content) => ({ ...range, events, state, content })),
  ),
)

describe('services at random, with any text in any place', () => {
  it.each(seeds)(
    'are exported as the rules say, and in the bytes of one other statement: seed %i',
    async (seed) => {
      const rows = await load(seed)
      for (const filter of filters) {
        const texts = await readTexts(url, filter)
        const evaluated = evaluateServices(rows, filter)
        expect(texts).toHaveLength(evaluated.length)
        // one by one: a difference among all of them would be unreadable
        for (const [n, text] of texts.entries()) expect(JSON.parse(text)).toEqual(evaluated[n])
        const sql = `select (${artifactSql(filter)}) as artifact`
        const { rows: expected } = await pool.query<{ artifact: string }>(sql)
        expect(`[${texts.join(',\n')}]`).toBe(expected[0]!.artifact)
      }
    },
  )
})
