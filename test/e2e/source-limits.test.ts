import { expect, it, onTestFinished } from 'vitest'
import { fixtureRange } from '../support/fixture-services.ts'
import { readStream } from '../support/read-stream.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

/** One service, whose id says under which settings it was read. PostgreSQL 16 and older lack the last one. */
async function showSettings({ database }: TestSystem): Promise<void> {
  await database.pool.query('alter table context_services.services rename to all_services')
  await database.pool.query(
    `create view context_services.services as
     select concat_ws(', ',
         'statement ' || current_setting('statement_timeout'),
         'write ' || current_setting('tcp_user_timeout'),
         'idle ' || current_setting('idle_in_transaction_session_timeout'),
         'transaction ' || coalesce(current_setting('transaction_timeout', true), '2030s')
       ) as service_id,
       timestamptz '2014-07-22T13:00:00Z' as started_at, null::timestamptz as completed_at`,
  )
}

it('an export and a stream are read under limits that follow from the configuration', async () => {
  const system = await startTestSystem(onTestFinished, {
    environment: { STALL_SECONDS: '90', EXPORT_MAX_SECONDS: '2000' },
  })
  await showSettings(system)
  const { id } = await system.client.request(fixtureRange)
  const { artifact } = await system.client.wait(id)
  expect(await (await fetch(artifact!.url)).json()).toEqual([
    'statement 210s, write 120000, idle 8min, transaction 2030s',
  ])
  const { body } = await readStream(system.url, fixtureRange)
  expect(JSON.parse(String(body))).toEqual([
    'statement 62min, write 120000, idle 3630s, transaction 2030s',
  ])
})
