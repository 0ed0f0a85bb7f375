import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { artifactSql } from '../../support/artifact-sql.ts'
import { evaluateServices } from '../../support/evaluate-services.ts'
import { hostileTexts } from '../../support/hostile-texts.ts'
import { readReferenceTables } from '../../support/read-reference-tables.ts'
import { readTexts } from '../../support/read-selection.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let url: string
let pool: pg.Pool

/** One service, state and task for each text, which stands wherever a text can stand. */
const release = releaseAfterAll()
beforeAll(async () => {
  ;({ url, pool } = await createTestDatabase(release))
  const object = (text: string) =>
    JSON.stringify({ [text]: text, list: [text, { [text]: [text] }] })
  for (const [n, text] of hostileTexts.entries()) {
    const at = `2014-07-22T12:00:00.${String(n).padStart(6, '0')}Z`
    const json = object(text)
    await pool.query(
      `insert into context_services.services (service_id, service_type, customer_id, contact_key,
         disposition, disposition_desc, started_at, started, completed_at, completed, extensions)
       values ($1, $2, $2, $2, $2, $2, $3, $4, $3, $4, $4)`,
      [`S${n}`, text, at, json],
    )
    await pool.query(
      `insert into context_services.states (service_id, state_id, state_type, previous_state_id,
         disposition, disposition_desc, started_at, started, completed_at, completed, extensions)
       values ($1, $2, $2, $2, $2, $2, $3, $4, $3, $4, $4)`,
      [`S${n}`, text, at, json],
    )
    await pool.query(
      `insert into context_services.tasks (service_id, task_id, state_id, task_type, disposition,
         disposition_desc, started_at, started, completed_at, completed, extensions)
       values ($1, $2, $2, $2, $2, $2, $3, $4, $3, $4, $4)`,
      [`S${n}`, text, at, json],
    )
  }
})

const selection = {
  from: '2014-07-22T00:00:00.000000Z',
  to: '2014-07-23T00:00:00.000000Z',
  events: 'any',
  state: 'any',
  content: true,
} as const

interface Nested {
  readonly [field: string]: unknown
}

describe('a text is exported as it is, wherever it stands', () => {
  it.each(hostileTexts.map((text, n) => [n, text.length > 60 ? `${text.slice(0, 60)}…` : text]))(
    '%i: %j',
    async (n) => {
      const text = hostileTexts[n]!
      const at = (microseconds: number) =>
        `2014-07-22T12:00:00.${String(microseconds).padStart(6, '0')}Z`
      const range = { from: at(n), to: at(n + 1) }
      const [element, ...more] = await readTexts(url, { ...selection, ...range })
      expect(more).toEqual([])
      const service = JSON.parse(element!) as Nested
      const [state] = service['completed_states'] as Nested[]
      const [task] = state!['completed_tasks'] as Nested[]
      const events = [service, state!, task!].flatMap((record) => [
        record['started'],
        record['completed'],
      ])

      for (const record of [service, state!, task!]) {
        expect(record).toMatchObject({ disposition: text, disposition_desc: text })
      }
      expect(service).toMatchObject({ service_type: text, customer_id: text, contact_key: text })
      expect(state).toMatchObject({ state_id: text, state_type: text, previous_state_id: text })
      expect(task).toMatchObject({ task_id: text, task_type: text })
      for (const holder of [service, state, task, ...events] as Nested[]) {
        expect(Object.entries(holder)).toContainEqual([text, text])
        expect(Object.entries(holder)).toContainEqual(['list', [text, parseKey(text)]])
      }
    },
  )

  it('as the rules say, evaluated independently', async () => {
    const documents = (await readTexts(url, selection)).map((text): unknown => JSON.parse(text))
    expect(documents).toEqual(evaluateServices(await readReferenceTables(pool), selection))
    expect(documents).toHaveLength(hostileTexts.length)
  })

  it('in the same bytes as one other statement has', async () => {
    const { rows } = await pool.query<{ artifact: string }>(
      `select (${artifactSql(selection)}) as artifact`,
    )
    expect(`[${(await readTexts(url, selection)).join(',\n')}]`).toBe(rows[0]!.artifact)
  })
})

/** `{[text]: [text]}` as JSON.parse makes it, of `__proto__` too. */
const parseKey = (text: string): unknown =>
  JSON.parse(`{${JSON.stringify(text)}: [${JSON.stringify(text)}]}`)
