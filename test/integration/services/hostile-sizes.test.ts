import type pg from 'pg'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { services } from '../../../src/datasets/services.ts'
import { roomySource } from '../../support/roomy-source.ts'
import { readBlocks } from '../../support/row-blocks.ts'
import { MiB } from '../../../src/runtime/units.ts'
import { artifactSql } from '../../support/artifact-sql.ts'
import { sha256 } from '../../support/chunks.ts'
import { createTestDatabase } from '../../support/database.ts'
import { evaluateServices } from '../../support/evaluate-services.ts'
import { readReferenceTables } from '../../support/read-reference-tables.ts'
import { readSelection, readTexts } from '../../support/read-selection.ts'

let url: string
let pool: pg.Pool

beforeEach(async () => {
  ;({ url, pool } = await createTestDatabase(onTestFinished))
})

const selection = {
  from: '2014-07-22T00:00:00.000000Z',
  to: '2014-07-23T00:00:00.000000Z',
  events: 'started',
  state: 'any',
  content: true,
} as const

/** Services 1 to `count`, a millisecond apart, whose extension has so many bytes (SQL over `n`). */
const insertLarge = (count: number, bytes: string, id = 'n::text') =>
  pool.query(`
    insert into context_services.services (service_id, service_type, started_at, extensions)
    select ${id}, '100', timestamptz '2014-07-22T12:00:00Z' + n * interval '1 ms',
      jsonb_build_object('large', repeat('0123456789abcdé"', (${bytes}) / 16))
    from generate_series(1, ${count}) n`)

/** The digest of the artifact. */
async function readDigest(): Promise<{ sha256: string; rows: number }> {
  const snapshot = await roomySource(url).open({
    signal: new AbortController().signal,
  })
  const texts: string[] = []
  for await (const batch of readBlocks(snapshot, services.queries(selection))) {
    texts.push(...batch)
  }
  await snapshot.close()
  return { sha256: sha256(`[${texts.join(',\n')}]`), rows: texts.length }
}

async function expectSameBytes(): Promise<number> {
  const { rows } = await pool.query<{ sha256: string }>(
    `select encode(sha256(convert_to((${artifactSql(selection)}), 'UTF8')), 'hex') as sha256`,
  )
  const read = await readDigest()
  expect(read.sha256).toBe(rows[0]!.sha256)
  return read.rows
}

describe('large documents', () => {
  it('of 1 MiB are exported whole', async () => {
    await insertLarge(40, String(MiB))
    expect(await expectSameBytes()).toBe(40)
  })

  it('of 30 MiB are exported whole, among others', async () => {
    await insertLarge(5, `case when n = 3 then ${30 * MiB} else 1000 end`)
    expect(await expectSameBytes()).toBe(5)
  })

  it('of a service with 5,000 states, and 5,000 tasks in and beside them are exported whole', async () => {
    await insertLarge(3, '100')
    await pool.query(`
      insert into context_services.states (service_id, state_id, state_type, started_at, completed_at)
        select '2', n::text, (n % 10)::text, timestamptz '2014-07-22T12:00:00Z' + n * interval '1 s',
          case when n % 2 = 0 then timestamptz '2014-07-22T12:00:00Z' end
        from generate_series(0, 4999) n;
      insert into context_services.tasks (service_id, task_id, state_id, task_type, started_at)
        select '2', n::text, case when n % 2 = 0 then (n / 2)::text end, '1', timestamptz '2014-07-22T12:00:00Z'
        from generate_series(0, 4999) n;
      analyze context_services.states, context_services.tasks`)
    const documents = await readSelection(url, selection)
    expect(documents).toEqual(evaluateServices(await readReferenceTables(pool), selection))
    const service = documents[1] as Record<string, unknown[]>
    expect(service['active_states']).toHaveLength(2500)
    expect(service['completed_states']).toHaveLength(2500)
    expect(service['active_tasks']).toHaveLength(2500)
  })
})

describe('a million services on one timestamp', () => {
  it('come each once, in the order of their ids by bytes', async () => {
    await pool.query(`
      insert into context_services.services (service_id, service_type, started_at)
      select n::text, '100', '2014-07-22T12:00:00Z' from generate_series(1, 1000000) n;
      analyze context_services.services`)
    const ids = (await readTexts(url, { ...selection, content: false })).map((text) =>
      text.slice(1, -1),
    )
    expect(ids).toHaveLength(1_000_000)
    // digits only: UTF-16 units are in the order of the bytes
    expect(ids.findIndex((id, n) => n > 0 && ids[n - 1]! >= id)).toBe(-1)
    expect(new Set(ids).size).toBe(1_000_000)
  })
})
