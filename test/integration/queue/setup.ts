import { randomUUID } from 'node:crypto'
import type { Logger } from '../../../src/logger.ts'
import { createLogger } from '../../../src/logger.ts'
import type { QueueConnection } from '../../../src/queue/connection.ts'
import type { ExportPayload, JobDefinition, JobOutcome } from '../../../src/queue/job-definition.ts'
import { createProducer, type Producer } from '../../../src/queue/producer.ts'
import { startWorker, type JobWorker } from '../../../src/queue/worker.ts'
import { createTestDatabase } from '../../support/database.ts'
import type { Release } from '../../support/release.ts'
import { testQueue, type TestQueueBackend } from '../../support/test-queue.ts'
import { until } from '../../support/until.ts'

export interface Run {
  readonly payload: ExportPayload
  readonly signal: AbortSignal
  /** Counted from 1, over all jobs. */
  readonly number: number
  readonly startedAt: number
}

export interface TestQueue {
  readonly backend: TestQueueBackend
  readonly connection: QueueConnection
  readonly producer: Producer
  readonly runs: readonly Run[]
  /** What the backoff was asked for. */
  readonly attemptsMade: readonly number[]
  readonly logLines: readonly string[]
  /** The definition, to start a worker of one's own with. */
  readonly definition: JobDefinition<ExportPayload, undefined>
  startWorker(options?: WorkerChoices): Promise<JobWorker>
  /** Resolves when no job waits, runs or is delayed. */
  empty(): Promise<unknown>
  /** How many jobs there are, by state. */
  counts(): Promise<Readonly<Record<string, number>>>
}

interface WorkerChoices {
  readonly connection?: QueueConnection
  /** Default: 2. */
  readonly concurrency?: number
}

export interface TestQueueOptions {
  /** What each run ends with. */
  readonly run: (run: Run) => Promise<JobOutcome> | JobOutcome
  readonly backoffMs?: number
}

export const newId = (): string => randomUUID()

/** A queue of its own, and a definition that does what the test says. */
export async function setupQueue(
  release: Release,
  { run, backoffMs = 1 }: TestQueueOptions,
): Promise<TestQueue> {
  const database = await createTestDatabase(release, { reference: false })
  const backend = testQueue(database)
  const connection = await backend.connect()
  const { logger, logLines } = memoryLogger()
  const runs: Run[] = []
  const attemptsMade: number[] = []
  const definition: JobDefinition<ExportPayload, undefined> = {
    name: 'longhaul-test',
    backoffMs(made) {
      attemptsMade.push(made)
      return backoffMs
    },
    async run(_deps, payload, { signal }) {
      const current = { payload, signal, number: runs.length + 1, startedAt: Date.now() }
      runs.push(current)
      return run(current)
    },
  }
  const producer = await createProducer(connection, definition.name, logger)
  release(() => producer.close())
  const inspector = new connection.classes.Queue(definition.name, connection.producer)
  await inspector.waitUntilReady()
  release(() => inspector.close())
  const counts = () =>
    inspector.getJobCounts(
      ...(['waiting', 'prioritized', 'active', 'delayed', 'failed', 'completed'] as const),
    )

  return {
    backend,
    connection,
    producer,
    runs,
    attemptsMade,
    logLines,
    definition,
    counts,
    async startWorker(options = {}) {
      const worker = await startWorker(options.connection ?? connection, definition, undefined, {
        concurrency: options.concurrency ?? 2,
        lockMs: 30_000,
        logger,
      })
      release(() => worker.stop({ graceMs: 0 }))
      return worker
    },
    empty: () =>
      until(async () => Object.values(await counts()).every((count) => count === 0), {
        what: 'the queue to be empty',
      }),
  }
}

export function memoryLogger(): { logger: Logger; logLines: string[] } {
  const logLines: string[] = []
  const logger = createLogger(
    { level: 'debug' },
    { write: (line: string) => void logLines.push(line) },
  )
  return { logger, logLines }
}

/** Resolves when the signal is aborted. */
export const abortOf = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    else signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
