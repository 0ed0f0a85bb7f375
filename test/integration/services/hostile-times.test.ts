import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { evaluateServices } from '../../support/evaluate-services.ts'
import { insertService } from '../../support/fixture-services.ts'
import { readReferenceTables } from '../../support/read-reference-tables.ts'
import { readSelection } from '../../support/read-selection.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let url: string
let pool: pg.Pool

const release = releaseAfterAll()
beforeAll(async () => {
  ;({ url, pool } = await createTestDatabase(release))
})

beforeEach(() =>
  pool.query('truncate context_services.services, context_services.states, context_services.tasks'),
)

const noon = '2014-07-22T12:00:00.000000Z'
const evening = '2014-07-22T18:00:00.000000Z'
const selection = {
  from: noon,
  to: evening,
  events: 'any',
  state: 'any',
  content: true,
} as const

const insert = (service_id: string, started_at: string, completed_at: string | null = null) =>
  insertService(pool, { service_id, started_at, completed_at })

const nest = (table: 'states' | 'tasks', id: string, started: string, completed: string | null) =>
  pool.query(
    `insert into context_services.${table} (service_id, ${table.slice(0, -1)}_id, ${table.slice(0, -1)}_type, started_at, completed_at)
     values ('S', $1, '1', $2, $3)`,
    [id, started, completed],
  )

const expectAsTheRulesSay = async () => {
  const rows = await readReferenceTables(pool)
  for (const events of ['any', 'started', 'completed'] as const) {
    for (const content of [true, false]) {
      const filter = { ...selection, events, content }
      expect(await readSelection(url, filter)).toEqual(evaluateServices(rows, filter))
    }
  }
}

describe('times a client supplied, in any order', () => {
  it('select and render as the rules say, to the microsecond at both ends of the range', async () => {
    const edges = [
      ['2014-07-22T11:59:59.999999Z', '2014-07-22T12:00:00.000000Z', '2014-07-22T12:00:00.000001Z'],
      ['2014-07-22T17:59:59.999999Z', '2014-07-22T18:00:00.000000Z', '2014-07-22T18:00:00.000001Z'],
    ].flat()
    for (const started of edges) {
      await insert(`open since ${started}`, started)
      for (const completed of edges) await insert(`${started} to ${completed}`, started, completed)
    }
    await expectAsTheRulesSay()
    const ids = await readSelection(url, { ...selection, content: false })
    expect(ids).toHaveLength(3 + 3 * 6 + 3 * 3)
  })

  it('may end before they start: the duration is that of the rendered times, and negative', async () => {
    await insert('back', '2014-07-22T13:00:00.000999Z', '2014-07-22T12:59:59.999001Z')
    await insert('same', '2014-07-22T13:00:00.000999Z', '2014-07-22T13:00:00.000000Z')
    await insert('far back', '2014-07-22T13:00:00Z', '0001-01-01T00:00:00Z')
    await insert('far', '2014-07-22T13:00:00Z', '9999-12-31T23:59:59.999999Z')
    await expectAsTheRulesSay()
    const documents = await readSelection(url, { ...selection, events: 'started' })
    expect(documents).toMatchObject([
      {
        service_id: 'far',
        duration: Date.parse('9999-12-31T23:59:59.999Z') - Date.parse('2014-07-22T13:00:00Z'),
      },
      {
        service_id: 'far back',
        duration: Date.parse('0001-01-01T00:00:00Z') - Date.parse('2014-07-22T13:00:00Z'),
      },
      { service_id: 'back', duration: -1 },
      { service_id: 'same', duration: 0 },
    ])
  })

  it('of states and tasks may lie anywhere, and do not select a service', async () => {
    await insert('S', '2014-07-22T13:00:00Z', '2014-07-22T14:00:00Z')
    const times = [
      '0001-01-01T00:00:00Z',
      noon,
      '2014-07-22T13:30:00.5Z',
      '9999-12-31T23:59:59.999999Z',
    ]
    for (const [n, started] of times.entries()) {
      for (const [m, completed] of [...times, null].entries()) {
        await nest('states', `${n}${m}`, started, completed)
        await nest('tasks', `${n}${m}`, started, completed)
      }
    }
    await expectAsTheRulesSay()
    const [service] = await readSelection(url, selection)
    expect(service).toHaveProperty('completed_states.length', 16)
    expect(service).toHaveProperty('active_tasks.length', 4)
    const outside = { ...selection, from: '0001-01-01T00:00:00Z', to: noon }
    expect(await readSelection(url, outside)).toEqual([])
  })
})

const unshowable = [
  'infinity',
  '-infinity',
  '0001-12-31 23:59:59.999999 BC',
  '4713-01-01 BC',
  '10000-01-01',
  '294276-12-31 23:59:59.999999',
]

describe('a time that no document can show', () => {
  it.each(unshowable)('fails the export with the id: %s', async (time) => {
    await insert('"odd" id', '2014-07-22T13:00:00Z', time)
    await expect(readSelection(url, selection)).rejects.toThrow(
      'The service "\\"odd\\" id" cannot be exported: its completed_at is infinite or outside the years 1 to 9999.',
    )
    // an id shows no time
    expect(await readSelection(url, { ...selection, content: false })).toEqual(['"odd" id'])
  })

  it.each(unshowable)('fails the export as the start, too: %s', async (time) => {
    await insert('S', time, '2014-07-22T13:00:00Z')
    await expect(readSelection(url, selection)).rejects.toThrow(
      'The service "S" cannot be exported',
    )
  })

  it.each(unshowable)('fails the export in states and tasks: %s', async (time) => {
    await insert('S', '2014-07-22T13:00:00Z')
    await nest('tasks', '0', '2014-07-22T13:00:00Z', time)
    await expect(readSelection(url, selection)).rejects.toThrow(
      'The task "0" of service "S" cannot be exported: its completed_at',
    )
    await nest('states', '1', time, null)
    await expect(readSelection(url, selection)).rejects.toThrow('of service "S" cannot be exported')
  })

  it('does no harm outside the range', async () => {
    for (const time of unshowable) await insert(time, time, time)
    await insert('S', '2014-07-22T13:00:00Z')
    expect(await readSelection(url, selection)).toHaveLength(1)
    const all = { ...selection, from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59.999999Z' }
    expect(await readSelection(url, all)).toHaveLength(1)
  })
})
