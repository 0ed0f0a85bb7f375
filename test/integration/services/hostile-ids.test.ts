import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../../support/database.ts'
import { evaluateServices } from '../../support/evaluate-services.ts'
import { insertService } from '../../support/fixture-services.ts'
import { hostileTexts } from '../../support/hostile-texts.ts'
import { readReferenceTables } from '../../support/read-reference-tables.ts'
import { readSelection } from '../../support/read-selection.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let url: string
let pool: pg.Pool

const ids = [
  ...hostileTexts,
  // as many bytes as no index takes
  randomBytes(5_000).toString('hex'),
  // by bytes, an astral character comes behind U+FFFF; by UTF-16 units before it
  ...['\uffff', '\u{10000}', '\ud7ff', '\ue000'],
  ...['a', 'A', 'b', 'B', 'a ', 'a  ', ' a', 'á', 'a\u0301', 'ä', 'z', '10', '9', '09'],
]

const noon = '2014-07-22T12:00:00.000000Z'

const release = releaseAfterAll()
beforeAll(async () => {
  ;({ url, pool } = await createTestDatabase(release))
  await pool.query(`
    alter table context_services.services drop constraint services_pkey;
    alter table context_services.states drop constraint states_pkey;
    alter table context_services.tasks drop constraint tasks_pkey;
    drop index context_services.services_started, context_services.services_completed`)
  for (const id of ids) {
    await insertService(pool, { service_id: id, started_at: noon, completed_at: noon })
  }
})

const selection = {
  from: noon,
  to: '2014-07-22T12:00:00.000001Z',
  events: 'any',
  state: 'any',
} as const

describe('ids on one timestamp', () => {
  it.each(['any', 'started', 'completed'] as const)(
    'come all, as they are, in the order of their bytes: events %s',
    async (events) => {
      const expected = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(await readSelection(url, { ...selection, events, content: false })).toEqual(expected)
    },
  )

  it('have their documents in the same order', async () => {
    const all = { ...selection, content: true } as const
    const documents = await readSelection(url, all)
    expect(documents).toEqual(evaluateServices(await readReferenceTables(pool), all))
  })

  it('are named, each, when their service cannot be exported', async () => {
    for (const id of ids) {
      await pool.query(
        `update context_services.services set extensions = '[]' where service_id = $1`,
        [id],
      )
      await expect(readSelection(url, { ...selection, content: true })).rejects.toThrow(
        `The service ${JSON.stringify(id)} cannot be exported: its column extensions`,
      )
      await pool.query(
        `update context_services.services set extensions = '{}' where service_id = $1`,
        [id],
      )
    }
  })

  it('keep apart what differs by case, by a space or by composition: states and tasks find theirs', async () => {
    for (const id of ids) {
      await pool.query(
        `insert into context_services.states (service_id, state_id, state_type, started_at)
         values ($1, 'a', 'of a', $2), ($1, 'A', 'of A', $2), ($1, 'a ', 'of a_', $2), ($1, '', 'of nothing', $2)`,
        [id, noon],
      )
      await pool.query(
        `insert into context_services.tasks (service_id, task_id, state_id, task_type, started_at)
         values ($1, '1', 'a', 'a', $2), ($1, '2', 'A', 'A', $2), ($1, '3', 'a ', 'a_', $2),
           ($1, '4', '', 'nothing', $2), ($1, '5', 'á', 'none', $2), ($1, '', null, 'none', $2)`,
        [id, noon],
      )
    }
    const all = { ...selection, content: true } as const
    const documents = await readSelection(url, all)
    expect(documents).toEqual(evaluateServices(await readReferenceTables(pool), all))
    const task = (task_type: string): unknown[] => [expect.objectContaining({ task_type })]
    expect(documents[0]).toMatchObject({
      active_states: [
        { state_type: 'of nothing', active_tasks: task('nothing') },
        { state_type: 'of A', active_tasks: task('A') },
        { state_type: 'of a', active_tasks: task('a') },
        { state_type: 'of a_', active_tasks: task('a_') },
      ],
      active_tasks: [{ task_id: '' }, { task_id: '5' }],
    })
  })
})
