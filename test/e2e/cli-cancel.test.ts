import { describe, expect, it, onTestFinished } from 'vitest'
import { runningQueries } from '../support/exports-table.ts'
import { errorOf, jsonOf, runCli, serviceEnvironment, startCli } from '../support/run-cli.ts'
import { makeSourceSlow } from '../support/slow-source.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const range = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T18:00:00Z' }

describe('longhaul cancel', () => {
  it('ends a running export of another process within 2 seconds: query, upload and record', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    await makeSourceSlow(system.database, { quick: 1500, bytes: 20_000 })
    const worker = startCli(onTestFinished, ['worker'], { env: serviceEnvironment(system) })
    const { id } = await system.client.request({ ...range, export_content: true })
    await until(async () => (await system.bucket.openUploads()).length > 0)
    expect(await runningQueries(system.database)).not.toEqual([])

    const env = { LONGHAUL_URL: system.url }
    const result = await runCli(['cancel', id, '--json'], { env })
    const canceledAt = performance.now()
    expect(jsonOf(result)).toMatchObject({ id, state: 'canceled' })
    await until(async () => {
      const queries = await runningQueries(system.database)
      const uploads = await system.bucket.openUploads()
      return queries.length + uploads.length === 0
    })
    expect(performance.now() - canceledAt).toBeLessThan(2000)
    expect(await system.bucket.keys()).toEqual([])
    await until(() => worker.output().stderr.includes('"state":"canceled"'))

    expect((await runCli(['cancel', id], { env })).code).toBe(0)
    expect(await system.client.status(id)).toMatchObject({
      state: 'canceled',
      attempts: [{ attempt: 1, outcome: 'canceled' }],
    })
    // the worker has a hand free again
    const other = await system.client.request({
      time_from: '2014-01-01T00:00:00Z',
      time_to: '2014-01-02T00:00:00Z',
    })
    expect(await system.client.wait(other.id)).toMatchObject({ state: 'completed' })
    const late = await runCli(['cancel', other.id, '--json'], { env })
    expect(errorOf(late)).toMatchObject({ code: 'EXPORT_FINISHED' })
    expect(late.code).toBe(11)
  })
})
