import { describe, expect, it } from 'vitest'
import { exportJob } from '../../../jobs/export.ts'
import { QueueError } from '../../../src/errors.ts'
import { postgresQueue } from '../../../src/queue/connection.ts'
import { createProducer } from '../../../src/queue/producer.ts'
import { startWorker } from '../../../src/queue/worker.ts'
import { memoryLogger } from './setup.ts'

describe('a queue in a control database that cannot be reached', () => {
  const unreachable = postgresQueue('postgres://nobody:s3cret-pass@127.0.0.1:1/none')

  it('lets no producer start', async () => {
    const { logger, logLines } = memoryLogger()
    const started = createProducer(unreachable, 'x', logger)
    await expect(started).rejects.toThrow(QueueError)
    await expect(started).rejects.toThrow(/ECONNREFUSED/)
    expect(logLines.join('\n')).not.toContain('s3cret-pass')
    expect(logLines.length).toBeLessThan(20)
  })

  it('lets no worker start', async () => {
    const { logger, logLines } = memoryLogger()
    const options = { concurrency: 1, lockMs: 30_000, logger }
    const started = startWorker(unreachable, { ...exportJob, name: 'x' }, {} as never, options)
    await expect(started).rejects.toThrow(QueueError)
    await expect(started).rejects.toThrow(/ECONNREFUSED/)
    expect(logLines.join('\n')).not.toContain('s3cret-pass')
    expect(logLines.length).toBeLessThan(20)
  })
})
