import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../../src/postgres/pool.ts'
import { seedServices } from '../../../src/postgres/seed/seed-services.ts'
import { createPatient } from './setup.ts'

/** Of the machine that the tests run on, and of the embedded store, which has no lifecycle rules. */
const ofThePlace = { warning: ['this machine.Node'], skipped: ['bucket.lifecycle'] }

it('an installation that is well has no problem, and afterwards it is as it was', async () => {
  const { database, bucket, diagnose } = await createPatient(onTestFinished)
  const client = await connect(database.url, 'source database')
  await seedServices(client, { services: 2000, seed: 1, signal: new AbortController().signal })
  await client.end()
  const schemas = async () => {
    const text = 'select nspname as name from pg_namespace order by nspname'
    return (await database.pool.query<{ name: string }>(text)).rows
  }
  const before = await schemas()

  const { findings, of, checks } = await diagnose()
  expect(checks('problem')).toEqual([])
  expect(ofThePlace.warning).toEqual(expect.arrayContaining([...checks('warning')]))
  expect(checks('skipped')).toEqual(ofThePlace.skipped)
  // its own indexes are what the datasets ask for
  expect(of('source database.indexes').map(({ found }) => found.replace(/^.*: /, ''))).toEqual([
    ...['services_started', 'services_completed', 'states_pkey', 'tasks_pkey'],
  ])
  expect(of('source database.plan of services')[0]?.found).toMatch(
    // the day before one of the latest records, which are old
    /^about [1-9]\d* records from 2014-.* would be found by services_started/,
  )
  for (const { found, advice } of findings) {
    expect(found).toMatch(/^\S.*[^.\s]$/s)
    expect(advice ?? 'None.').toMatch(/^[A-Z].*\S$/s)
  }
  expect(await bucket.keys()).toEqual([])
  expect(await bucket.openUploads()).toEqual([])
  expect(await schemas()).toEqual(before)
})
