import { describe, expect, it, onTestFinished } from 'vitest'
import { retentionSweepJob } from '../../../jobs/retention-sweep.ts'
import type { ScheduledJobDefinition } from '../../../src/queue/job-definition.ts'
import { createSchedule } from '../../../src/queue/schedule.ts'
import { startWorker } from '../../../src/queue/worker.ts'
import { createTestDatabase } from '../../support/database.ts'
import { testQueue } from '../../support/test-queue.ts'
import { until } from '../../support/until.ts'
import { memoryLogger } from './setup.ts'

/** Two workers of a job that is due each second, and what ran when. */
async function setup() {
  const database = await createTestDatabase(onTestFinished, { reference: false })
  const backend = testQueue(database)
  const connection = await backend.connect()
  const { logger, logLines } = memoryLogger()
  let runs = 0
  const definition: ScheduledJobDefinition<undefined> = {
    name: 'longhaul-test',
    schedule: { pattern: '* * * * * *', tz: 'UTC' },
    backoffMs: () => 0,
    run() {
      runs++
      return Promise.resolve({ outcome: 'done' })
    },
  }
  for (let n = 0; n < 2; n++) {
    const options = { concurrency: 1, lockMs: 30_000, logger }
    const worker = await startWorker(connection, definition, undefined, options)
    onTestFinished(() => worker.stop({ graceMs: 0 }))
  }
  const schedule = createSchedule(connection, definition, logger)
  onTestFinished(() => schedule.close())
  /** The jobs that were started; a job of a schedule is named for the moment when it is due. */
  const started = () =>
    logLines
      .map((line) => JSON.parse(line) as { msg: string; job: string })
      .filter(({ msg }) => msg === 'job started')
      .map(({ job }) => job)
  return { backend, connection, logger, runs: () => runs, started, schedule }
}

describe('a schedule', () => {
  it('runs its job once each time, however many workers know it', async () => {
    const { runs, started, schedule } = await setup()
    await Promise.all([schedule.ensure(), schedule.ensure(), schedule.ensure()])
    await until(() => runs() >= 4)
    // to ensure it in the very moment when it is due may queue that run again
    const jobs = started().slice(1)
    expect(new Set(jobs).size).toBe(jobs.length)
    await schedule.ensure()
    const before = runs()
    await until(() => runs() > before + 1)
  })

  it('is there again once it was ensured, after the queue has lost everything', async () => {
    const { backend, runs, schedule } = await setup()
    await schedule.ensure()
    await until(() => runs() >= 1)
    await backend.lose()
    const before = runs()
    await schedule.ensure()
    await until(() => runs() > before + 1)
  })

  it('of the sweep is one that the queue takes', async () => {
    const { backend, connection, logger } = await setup()
    const schedule = createSchedule(connection, retentionSweepJob, logger)
    onTestFinished(() => schedule.close())
    await schedule.ensure()
    expect(await backend.countJobs(retentionSweepJob.name)).toBe(1)
  })
})
