import { describe, expect, it, onTestFinished } from 'vitest'
import { presentView } from '../../support/present-view.ts'
import { createRole } from './create-role.ts'
import { createPatient, saying } from './setup.ts'

const source = 'source database'
const services = 'context_services.services'

/** Enough to be a big table; half of them before this year. */
const fill = `
  insert into ${services} (service_id, service_type, started_at, completed_at)
  select 's-' || n, '100', timestamptz '2026-01-01Z' - n * interval '10 minutes', null
  from generate_series(1, 20000) n`

describe('the tables of a source', () => {
  it('that a user may not read are told with the grants that it takes', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    const role = await createRole(database.pool, (name) => [
      `grant usage on schema context_services to ${name}`,
      `grant select on ${services} to ${name}`,
      `grant select (service_id, state_id) on context_services.states to ${name}`,
    ])
    const { of, checks } = await diagnose(
      { SOURCE_DATABASE_URL: role(database.url) },
      { secrets: ['reading-reading'] },
    )
    const denied = (table: string) =>
      saying(
        'problem',
        new RegExp(`^context_services.${table}: .*permission denied for table ${table}`),
        new RegExp(`grant select on context_services.${table} to doctor_\\w+;$`),
      )
    expect(of(`${source}.tables`)).toEqual([
      ...[saying('ok', /services/), denied('states'), denied('tasks')],
    ])
    expect(checks('problem')).toEqual([`${source}.tables`])
    expect(of(`${source}.plan of services`)).toEqual([saying('skipped', /tables/)])
  })

  it('in a schema that a user may not enter are told, too', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    const role = await createRole(database.pool, () => [])
    const { of } = await diagnose({ SOURCE_DATABASE_URL: role(database.url) })
    const denied = saying('problem', /permission denied for schema/, /grant usage on schema/)
    expect(of(`${source}.tables`)).toEqual([denied, denied, denied])
    // everybody may read the catalog
    expect(of(`${source}.indexes`).map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok'])
  })

  it('that are missing, or lack a column, or have one of another type, are named', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(`
      drop table context_services.tasks;
      alter table context_services.states drop column disposition;
      alter table ${services} alter column started_at type timestamp`)
    const { of, checks } = await diagnose()
    expect(of(`${source}.tables`)).toEqual([
      saying('problem', /started_at is timestamp without time zone, expected/, /at time zone/),
      saying('problem', /column "disposition" does not exist/, /reference schema/),
      saying('problem', /^there is no context_services.tasks$/, /view of that name/),
    ])
    expect(of(`${source}.indexes`)).toContainEqual(saying('skipped', /tasks.*no such table/))
    expect(checks('problem')).toEqual([`${source}.tables`])
  })

  it('that hide rows from the user are told', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(`alter table ${services} enable row level security`)
    const role = await createRole(database.pool, (name) => [
      `grant usage on schema context_services to ${name}`,
      `grant select on all tables in schema context_services to ${name}`,
    ])
    const { of } = await diagnose({ SOURCE_DATABASE_URL: role(database.url) })
    expect(of(`${source}.tables`)).toContainEqual(
      saying('warning', /^context_services.services has row security/, /policy/),
    )
    // its owner sees all of them
    expect((await diagnose()).checks('warning')).not.toContain(`${source}.tables`)
  })
})

describe('the indexes of a source', () => {
  it('that were dropped come with the statements that make them', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(`
      drop index context_services.services_started;
      alter table context_services.states drop constraint states_pkey;
      ${fill}; analyze ${services}`)
    const broken = await diagnose()
    expect(broken.checks('problem')).toEqual([`${source}.indexes`])
    const problems = broken.of(`${source}.indexes`).filter(({ state }) => state === 'problem')
    expect(problems).toHaveLength(2)
    expect(broken.of(`${source}.plan of services`)).toEqual([
      saying('warning', /reading the whole of context_services.services \(20,000 rows\)/, /ind/),
    ])
    // what it says does it
    for (const { advice = '' } of problems) {
      const [, statement = ''] = /^Run, on the primary: (create index concurrently .*);$/.exec(
        advice,
      )!
      await database.pool.query(statement)
    }
    const mended = await diagnose()
    expect(mended.checks('problem')).toEqual([])
    expect(mended.of(`${source}.plan of services`)).toEqual([
      saying('ok', /^about \d+ records from 2025-12-\d\d.* by services_started/),
    ])
  })

  it('that are not valid are told, with what makes them anew', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(`
      update pg_index set indisvalid = false
      where indexrelid = 'context_services.services_completed'::regclass`)
    const { of } = await diagnose()
    expect(of(`${source}.indexes`)).toContainEqual(
      saying(
        'problem',
        /services_completed is not valid/,
        /drop index concurrently .*create index/,
      ),
    )
  })

  it('in the order of a language find what is wanted, and do not sort it', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(`
      drop index context_services.services_started;
      create index services_started on ${services} (started_at, service_id);
      ${fill}; analyze ${services}`)
    const { of } = await diagnose()
    expect(of(`${source}.indexes`)).toContainEqual(
      // its name is taken
      saying('warning', /services_started finds has to be sorted/, /create index concurrently on /),
    )
  })

  it('of what a view presents are shown by the plan alone', async () => {
    const { database, diagnose } = await createPatient(onTestFinished)
    await database.pool.query(`${fill}; analyze ${services}`)
    await presentView(database.pool, 'services', {})
    const { of, checks } = await diagnose()
    expect(checks('problem')).toEqual([])
    expect(of(`${source}.tables`)).toContainEqual(saying('ok', /services, a view/))
    expect(of(`${source}.indexes`)).toContainEqual(saying('skipped', /is a view/))
    expect(of(`${source}.plan of services`)).toEqual([saying('ok', /by services_started/)])
    await database.pool.query('drop index context_services.services_started')
    expect((await diagnose()).of(`${source}.plan of services`)).toEqual([
      saying('warning', /the whole of context_services.real_services \(20,000 rows\)/),
    ])
  })
})

it('statistics that were never gathered are told', async () => {
  const { database, diagnose } = await createPatient(onTestFinished)
  await database.pool.query(`alter table ${services} set (autovacuum_enabled = off); ${fill}`)
  expect((await diagnose()).of(`${source}.statistics`)).toEqual([
    saying('warning', /knows nothing of context_services.services:/, /^Run: analyze .*services;$/),
  ])
  await database.pool.query(`analyze ${services}`)
  expect((await diagnose()).of(`${source}.statistics`)).toEqual([saying('ok', /statistics/)])
})

it('a user that may have too few connections is told', async () => {
  const { database, diagnose } = await createPatient(onTestFinished)
  const role = await createRole(database.pool, (name) => [
    `grant usage on schema context_services to ${name}`,
    `grant select on all tables in schema context_services to ${name}`,
    `alter role ${name} connection limit 2`,
  ])
  const variables = { SOURCE_DATABASE_URL: role(database.url), EXPORT_READERS: '3' }
  const { of } = await diagnose(variables)
  expect(of(`${source}.role`)).toEqual([
    saying('warning', /may have 2 connections, one worker wants up to 3/, /EXPORT_READERS/),
  ])
})

it('a table that somebody has locked costs its own check, and leaves nobody waiting', async () => {
  const { database, diagnose } = await createPatient(onTestFinished)
  const client = await database.pool.connect()
  await client.query(`begin; lock table context_services.tasks in access exclusive mode`)
  const { of, checks } = await diagnose({}, { timeoutMs: 2000 })
  await client.query('rollback')
  client.release()
  expect(of(`${source}.tables`)).toEqual([saying('problem', /no answer within 2 s/)])
  expect(checks('problem')).toEqual([`${source}.tables`])
  expect(of(`${source}.indexes`)).toHaveLength(4)
})
