import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { exportJob } from '../../../jobs/export.ts'
import { NotFoundError } from '../../../src/errors.ts'
import { createExportRecords } from '../../../src/postgres/export-records.ts'
import { createPool } from '../../../src/postgres/pool.ts'
import type { ExportPayload, JobDefinition } from '../../../src/queue/job-definition.ts'
import { createProducer } from '../../../src/queue/producer.ts'
import { startWorker } from '../../../src/queue/worker.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createDice } from '../../support/dice.ts'
import { exportBundle } from '../../support/export-bundle.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { testQueue } from '../../support/test-queue.ts'
import { until } from '../../support/until.ts'
import { memoryLogger, newId, setupQueue } from './setup.ts'

describe('start and stop', () => {
  // a database where nothing else has a connection: whatever is left in the end is a leak
  let database: TestDatabase
  const release = releaseAfterAll()
  beforeAll(async () => {
    database = await createTestDatabase(release, { reference: false })
  })

  it.each([1, 2, 3])('at random leaves no connection open (seed %i)', async (seed) => {
    const dice = createDice(seed)
    const roll = (below: number) => dice.between(0, below - 1)
    const backend = testQueue(database)
    const connection = await backend.connect()
    const definition: JobDefinition<ExportPayload, undefined> = {
      name: 'longhaul-test',
      backoffMs: () => 1,
      run: () => Promise.resolve({ outcome: 'done' }),
    }
    const { logger, logLines } = memoryLogger()
    const open: (() => Promise<void>)[] = []
    const stopOne = () => {
      const [stop] = open.splice(roll(open.length), 1)
      // sometimes asked twice, sometimes not waited for
      const stopping = stop!()
      return roll(2) === 0 ? Promise.all([stopping, stop!()]) : stopping
    }
    const begun: Promise<unknown>[] = []
    for (let step = 0; step < 25; step++) {
      if (open.length > 3 || (open.length > 0 && roll(3) === 0)) {
        const stopping = stopOne()
        if (roll(2) === 0) begun.push(stopping)
        else await stopping
      } else if (roll(3) === 0) {
        const producer = await createProducer(connection, definition.name, logger)
        if (roll(2) === 0) await producer.enqueue({ id: newId(), dispatch: 1 })
        open.push(() => producer.close())
      } else {
        const options = { concurrency: 1 + roll(3), lockMs: 30_000, logger }
        const worker = await startWorker(connection, definition, undefined, options)
        open.push(() => worker.stop({ graceMs: roll(2) * 1000 }))
      }
    }
    while (open.length > 0) begun.push(stopOne())
    await Promise.all(begun)
    // the server notices a closed connection a moment later
    await until(async () => (await backend.countConnections()) === 0, {
      what: 'the connections to be closed',
      timeoutMs: 5000,
    })
    expect(logLines.filter((line) => line.includes('"level":"error"'))).toEqual([])
  })
})

describe('a job without a record', () => {
  it('fails with a clear message, and is not retried', async () => {
    const queue = await setupQueue(onTestFinished, { run: () => ({ outcome: 'done' }) })
    const database = await createTestDatabase(onTestFinished)
    const pool = createPool(database.url, { role: 'control database' })
    onTestFinished(() => pool.close())
    const { logger, logLines } = memoryLogger()
    const deps = { ...(await exportBundle()), records: createExportRecords(pool) }
    const definition = { ...exportJob, name: queue.definition.name }
    const options = { concurrency: 1, lockMs: 30_000, logger }
    const worker = await startWorker(queue.connection, definition, deps, options)
    onTestFinished(() => worker.stop({ graceMs: 0 }))

    const id = newId()
    await queue.producer.enqueue({ id, dispatch: 1 })
    const failed = await until(() => logLines.find((line) => line.includes('job failed')))
    expect(JSON.parse(failed)).toMatchObject({
      level: 'error',
      code: 'EXPORT_NOT_FOUND',
      export_id: id,
      err: { message: new NotFoundError(id).message },
    })
    await queue.empty()
    expect(logLines.filter((line) => line.includes('job started'))).toHaveLength(1)
  })
})
