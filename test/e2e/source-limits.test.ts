import { expect, it, onTestFinished } from 'vitest'
import { fixtureRange } from '../support/fixture-services.ts'
import { readStream } from '../support/read-stream.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

/** One service, whose id says under which settings it was read. */
async function showSettings({ database }: TestSystem): Promise<void> {
  await database.pool.query('alter table context_services.services rename to all_services')
  await database.pool.query(
    `create view context_services.services as
     select (select string_agg(name || '=' || current_setting(name), ' ' order by name)
             from unnest(array['statement_timeout', 'idle_in_transaction_session_timeout',
                               'transaction_timeout', 'tcp_user_timeout']) name) as service_id,
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
  const exported = await (await fetch(artifact!.url)).json()
  expect(exported).toEqual([
    'idle_in_transaction_session_timeout=2min statement_timeout=210s tcp_user_timeout=120000 transaction_timeout=2030s',
  ])
  const { body } = await readStream(system.url, fixtureRange)
  expect(JSON.parse(String(body))).toEqual([
    'idle_in_transaction_session_timeout=3630s statement_timeout=62min tcp_user_timeout=120000 transaction_timeout=2030s',
  ])
})
