import { describe, expect, it, onTestFinished } from 'vitest'
import { SourceError } from '../../../src/errors.ts'
import { roomySource } from '../../support/roomy-source.ts'
import { services } from '../../../src/datasets/services.ts'
import { createTestDatabase } from '../../support/database.ts'
import { insertService } from '../../support/fixture-services.ts'
import { presentView, type ReferenceTable } from '../../support/present-view.ts'
import { readSelection, readTexts } from '../../support/read-selection.ts'

const selection = {
  from: '2014-07-22T00:00:00Z',
  to: '2014-07-23T00:00:00Z',
  events: 'any',
  state: 'any',
} as const

type Columns = Readonly<Record<string, string>>

/** One service behind views of these columns. */
async function setup(views: Partial<Record<ReferenceTable, Columns>>): Promise<string> {
  const { url, pool } = await createTestDatabase(onTestFinished)
  await insertService(pool, { service_id: '7', started_at: '2014-07-22T12:00:00Z' })
  await pool.query('create domain public.label as text')
  await pool.query('create domain public.short_label as public.label check (length(value) < 9)')
  for (const [table, columns] of Object.entries(views)) {
    await presentView(pool, table as ReferenceTable, columns)
  }
  return url
}

const failureOf = (url: string, content: boolean): Promise<unknown> =>
  readSelection(url, { ...selection, content }).catch((error: unknown) => error)

describe('columns of a view that have another type than the reference tables', () => {
  it.each([
    ['extensions', 'r.extensions::json', 'json', 'jsonb'],
    ['started', 'r.started::json', 'json', 'jsonb'],
    ['completed', 'r.completed::text', 'text', 'jsonb'],
    ['est_duration', `'NaN'::numeric`, 'numeric', 'integer'],
    ['est_duration', `'Infinity'::float8`, 'double precision', 'integer'],
    ['est_duration', `interval '1 minute'`, 'interval', 'integer'],
    ['service_id', 'r.service_id::integer', 'integer', 'text'],
    ['service_id', 'r.service_id::char(9)', 'character', 'text'],
    ['service_type', 'r.service_type::integer', 'integer', 'text'],
    [
      'started_at',
      'r.started_at::timestamp',
      'timestamp without time zone',
      'timestamp with time zone',
    ],
    ['completed_at', 'r.completed_at::date', 'date', 'timestamp with time zone'],
  ])('fail the export, and are named: %s as %s', async (column, sql, type, expected) => {
    const url = await setup({ services: { [column]: sql } })
    const error = await failureOf(url, true)
    expect(error).toBeInstanceOf(SourceError)
    expect(error).toMatchObject({
      code: 'SOURCE_QUERY_FAILED',
      retryable: false,
      message: `The source database has columns of another type: context_services.services.${column} is ${type}, expected ${expected}.`,
      hint: expect.stringContaining('Convert them in the view') as string,
    })
  })

  it('are named all at once, and before the planner stumbles over them', async () => {
    const json = { extensions: 'r.extensions::json', started: 'r.started::json' }
    const url = await setup({ services: json, states: json, tasks: { task_id: '1' } })
    const snapshot = await roomySource(url).open({
      signal: new AbortController().signal,
    })
    onTestFinished(() => snapshot.close())
    const queries = services.queries({ ...selection, content: true })
    await expect(snapshot.estimate(queries)).rejects.toThrow(
      [
        'context_services.services.started is json, expected jsonb',
        'context_services.services.extensions is json, expected jsonb',
        'context_services.states.started is json, expected jsonb',
        'context_services.states.extensions is json, expected jsonb',
        'context_services.tasks.task_id is integer, expected text',
      ].join('; '),
    )
  })

  it('do not matter where they are not read: ids alone', async () => {
    const url = await setup({
      services: { extensions: 'r.extensions::json' },
      tasks: { task_id: '1' },
    })
    expect(await failureOf(url, false)).toEqual(['7'])
  })

  it('do matter for ids alone where they are read', async () => {
    const url = await setup({ services: { service_id: 'r.service_id::integer' } })
    expect(await failureOf(url, false)).toMatchObject({ code: 'SOURCE_QUERY_FAILED' })
  })

  it('may be shorter texts, domains, and other integers', async () => {
    const url = await setup({
      services: {
        service_id: 'r.service_id::varchar(9)',
        service_type: 'r.service_type::public.short_label',
        disposition: `'done'::public.label`,
        est_duration: '9007199254740993::bigint',
      },
    })
    const [text] = await readTexts(url, { ...selection, content: true })
    expect(text).toMatch(
      '"service_id": "7", "service_type": "100", "est_duration": 9007199254740993,',
    )
    expect(text).toMatch('"disposition": "done"')
  })
})

describe('a view that presents a service without a start', () => {
  const columns = {
    started_at: 'null::timestamptz',
    completed_at: `timestamptz '2014-07-22T13:00:00Z'`,
  }

  it.each(['any', 'completed'] as const)('has its id exported: events %s', async (events) => {
    const url = await setup({ services: columns })
    expect(await readSelection(url, { ...selection, events, content: false })).toEqual(['7'])
  })

  it.each(['any', 'completed'] as const)(
    'cannot have its document exported: events %s',
    async (events) => {
      const url = await setup({ services: columns })
      await expect(readSelection(url, { ...selection, events, content: true })).rejects.toThrow(
        'The service "7" cannot be exported: it has no started_at.',
      )
    },
  )
})
