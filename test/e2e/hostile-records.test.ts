import { describe, expect, it, onTestFinished } from 'vitest'
import { insertService } from '../support/fixture-services.ts'
import { presentView } from '../support/present-view.ts'
import { startTestSystem } from '../support/system.ts'

const day = {
  time_from: '2014-07-22T00:00:00Z',
  time_to: '2014-07-23T00:00:00Z',
  export_content: true,
} as const

describe('a record that cannot be exported', () => {
  it('ends its export at the first attempt, and the answer names it', async () => {
    const { client, database } = await startTestSystem(onTestFinished)
    await presentView(database.pool, 'services', {
      extensions: 'coalesce(r.raw_json::jsonb, r.extensions)',
    })
    const id = `it's "odd" \u2028\n😀`
    for (const service_id of ['before', id, 'later']) {
      await database.pool.query(
        `insert into context_services.real_services (service_id, service_type, started_at, raw_json)
         values ($1, '100', '2014-07-22T12:00:00Z', $2)`,
        [service_id, service_id === id ? '{"a": "\\u0000"}' : '{}'],
      )
    }
    const { id: exportId } = await client.request(day)
    expect(await client.wait(exportId)).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: {
        code: 'ENCODE_UNSUPPORTED_VALUE',
        retryable: false,
        message: expect.stringContaining(
          `The service ${JSON.stringify(id)} cannot be exported`,
        ) as string,
      },
    })
  })

  it('ends its export at the first attempt where the view has columns of type json', async () => {
    const { client, database } = await startTestSystem(onTestFinished)
    await insertService(database.pool, { service_id: 'S', started_at: '2014-07-22T12:00:00Z' })
    await presentView(database.pool, 'services', { extensions: 'r.extensions::json' })
    const { id } = await client.request(day)
    expect(await client.wait(id)).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: {
        code: 'SOURCE_QUERY_FAILED',
        message: expect.stringContaining(
          'context_services.services.extensions is json, expected jsonb',
        ) as string,
      },
    })
  })
})
