import type pg from 'pg'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { EncodeError } from '../../../src/errors.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { insertService } from '../../support/fixture-services.ts'
import { readSelection } from '../../support/read-selection.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'

let database: TestDatabase
let pool: pg.Pool

const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release)
  pool = database.pool
})

beforeEach(async () => {
  await pool.query(
    'truncate context_services.services, context_services.states, context_services.tasks',
  )
  await insertService(pool, { service_id: 'fine', started_at: '2014-07-22T12:00:00Z' })
})

/** What an export with content of the whole day gives. */
const readDocuments = () =>
  readSelection(database.url, {
    from: '2014-07-22T00:00:00Z',
    to: '2014-07-23T00:00:00Z',
    events: 'any',
    state: 'any',
    content: true,
  })

const failure = async (): Promise<unknown> => {
  try {
    return await readDocuments()
  } catch (error) {
    return error
  }
}

const nested = (table: 'states' | 'tasks', id: string, columns: string, values: string) =>
  pool.query(
    `insert into context_services.${table} (service_id, ${table === 'states' ? 'state_id, state_type' : 'task_id, task_type'}, ${columns})
     values ('fine', '${id}', '1', ${values})`,
  )

describe('a value that JSON cannot show truthfully', () => {
  it('fails the export with the id of the service: infinity as a time', async () => {
    await insertService(pool, {
      service_id: 'it\'s "odd", ünd [so] on',
      started_at: '2014-07-22T12:00:00Z',
      completed_at: 'infinity',
    })
    const error = await failure()
    expect(error).toBeInstanceOf(EncodeError)
    expect((error as EncodeError).message).toContain('service "it\'s \\"odd\\", ünd [so] on"')
    expect((error as EncodeError).message).toContain('completed_at')
  })

  it.each([
    ['-infinity', 'completed_at'],
    ['20000-01-01', 'completed_at'],
    ['0044-03-15 BC', 'completed_at'],
  ])('fails the export: %s', async (time) => {
    await insertService(pool, {
      service_id: 'ides',
      started_at: '2014-07-22T12:00:00Z',
      completed_at: time,
    })
    expect(await failure()).toMatchObject({
      code: 'ENCODE_UNSUPPORTED_VALUE',
      message: expect.stringContaining('"ides"') as string,
    })
  })

  it.each([
    ['started', '"text"'],
    ['started', '[]'],
    ['started', '1'],
    ['started', 'null'],
    ['extensions', '[{"a": 1}]'],
    ['extensions', 'null'],
    ['completed', '"text"'],
    ['completed', 'null'],
  ])('fails the export: %s that holds %s', async (column, json) => {
    await pool.query(
      `update context_services.services set ${column} = $1, completed_at = started_at where service_id = 'fine'`,
      [json],
    )
    expect(await failure()).toMatchObject({
      code: 'ENCODE_UNSUPPORTED_VALUE',
      retryable: false,
      message: expect.stringMatching(new RegExp(`service "fine".*${column}`)) as string,
    })
  })

  it.each(['states', 'tasks'] as const)('names the record and its service in %s', async (table) => {
    await nested(table, '0', 'started_at', `'infinity'`)
    const kind = table === 'states' ? 'state' : 'task'
    expect(await failure()).toMatchObject({
      message: expect.stringContaining(
        `The ${kind} "0" of service "fine" cannot be exported`,
      ) as string,
    })
  })

  it('names a task inside a state, too', async () => {
    await nested('states', '1', 'started_at', `'2014-07-22T12:00:00Z'`)
    await nested(
      'tasks',
      '7',
      'started_at, state_id, extensions',
      `'2014-07-22T12:00:00Z', '1', '[]'`,
    )
    expect(await failure()).toMatchObject({
      message: expect.stringContaining('The task "7" of service "fine"') as string,
    })
  })
})

describe('a view that presents a record without an id', () => {
  it.each([true, false])('fails the export (content: %s)', async (content) => {
    await pool.query('alter table context_services.services rename to real_services')
    await pool.query(`create view context_services.services as
      select null::text as service_id, tenant_id, group_id, service_type, customer_id, contact_key,
        est_duration, disposition, disposition_desc, started_at, started, completed_at, completed, extensions
      from context_services.real_services`)
    try {
      const read = readSelection(database.url, {
        from: '2014-07-22T00:00:00Z',
        to: '2014-07-23T00:00:00Z',
        events: 'any',
        state: 'any',
        content,
      })
      await expect(read).rejects.toMatchObject({ code: 'ENCODE_UNSUPPORTED_VALUE' })
    } finally {
      await pool.query('drop view context_services.services')
      await pool.query('alter table context_services.real_services rename to services')
    }
  })
})

describe('a value that is unusual but true', () => {
  it.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z'])(
    'is exported: %s',
    async (time) => {
      await pool.query(`update context_services.services set completed_at = $1, completed = '{}'`, [
        time,
      ])
      const [document] = await readDocuments()
      expect(document).toMatchObject({
        completed: {
          timestamp: time.replace(
            /(\.\d{3})\d*Z$|Z$/,
            (_, ms: string | undefined) => `${ms ?? '.000'}Z`,
          ),
        },
      })
    },
  )

  it('an event without any context has its time alone', async () => {
    await pool.query(
      `update context_services.services set completed_at = started_at, completed = null`,
    )
    const [document] = await readDocuments()
    expect(document).toMatchObject({
      started: { timestamp: '2014-07-22T12:00:00.000Z' },
      completed: { timestamp: '2014-07-22T12:00:00.000Z' },
      duration: 0,
    })
  })
})
