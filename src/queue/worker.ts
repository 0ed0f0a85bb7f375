import { setTimeout as sleep } from 'node:timers/promises'
import { DelayedError, UnrecoverableError, WaitingError, type Job } from 'bullmq'
import { ExportError, InterruptedError, NotFoundError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { QueueConnection } from './connection.ts'
import type { JobDefinition, JobOutcome } from './job-definition.ts'
import { logErrors, queueUnavailable } from './queue-errors.ts'

/** A job that is put off is not looked at again sooner, ms. */
const minDelayMs = 1000

/** How long it may take to tell the queue how the last jobs ended, ms: one that is away never hears it. */
const farewellMs = 5000

/** Before something that the queue refused is tried again, ms. */
const retryDelayMs = 1000

export interface WorkerOptions {
  readonly concurrency: number
  /** How long a job stays locked without a sign of life, ms; then another worker gets it. */
  readonly lockMs: number
  readonly logger: Logger
}

export interface JobWorker {
  /**
   * Takes no more jobs; running ones may finish within `graceMs`, then they are interrupted and go
   * back to waiting. Returns when none runs any more. Safe to call again.
   */
  stop(options: { readonly graceMs: number }): Promise<void>
}

/**
 * Runs the jobs of one definition. The one place that turns an outcome into what BullMQ does next,
 * and that logs how a job ended.
 * @throws QueueError when the queue cannot be reached now
 */
export async function startWorker<Payload extends object, Deps>(
  connection: QueueConnection,
  definition: JobDefinition<Payload, Deps>,
  deps: Deps,
  { concurrency, lockMs, logger }: WorkerOptions,
): Promise<JobWorker> {
  const interrupt = new AbortController()
  let stopped: Promise<void> | undefined
  const running = new Set<Promise<JobOutcome>>()

  /**
   * A lock of the queue that was lost ends nothing: the lease on the record decides who may go on, and
   * whoever gets the job meanwhile finds the export taken. So a queue that lost its jobs, or whose clock
   * jumped, costs no attempt.
   */
  async function process(job: Job<Payload>, token: string | undefined) {
    // BullMQ may fetch one more job when closing cuts its wait short
    if (stopped !== undefined) return settle(job, token, interruptedBy(stopping()))
    const log = logger.child({ job: job.id, ...definition.logFields?.(job.data) })
    const { signal } = interrupt
    log.info('job started')
    const run = definition.run(deps, job.data, { signal }).catch(outcomeOf)
    running.add(run)
    const outcome = await run
    running.delete(run)
    logOutcome(log, outcome)
    return settle(job, token, outcome)
  }

  const worker = new connection.classes.Worker<Payload>(definition.name, process, {
    ...connection.worker,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // the record counts failures; a rollout of many restarts must not fail an export
    maxStalledCount: 1_000,
    // after a refused connection; 15 s by default, when a database that restarts has long been back
    runRetryDelay: retryDelayMs,
    settings: {
      backoffStrategy: (attemptsMade) => definition.backoffMs(attemptsMade, Math.random()),
    },
  })
  const silence = logErrors(worker, logger)
  try {
    await worker.waitUntilReady()
  } catch (error) {
    await worker.close(true).catch(() => undefined)
    throw queueUnavailable(error)
  }

  return {
    stop({ graceMs }) {
      stopped ??= (async () => {
        const closed = worker.close()
        const grace = setTimeout(() => interrupt.abort(stopping()), graceMs)
        const waitedEnough = Promise.all(running).then(() =>
          sleep(farewellMs, undefined, { ref: false }),
        )
        await Promise.race([closed, waitedEnough])
        await worker.getBackend().close(true)
        clearTimeout(grace)
        silence()
      })()
      return stopped
    },
  }
}

/**
 * What a definition threw rather than returned. Only a job without a record is over: any other error
 * is the control database's, and the record says whether there is another attempt.
 */
const outcomeOf = (cause: unknown): JobOutcome => {
  const error = cause instanceof Error ? cause : new TypeError(String(cause))
  if (error instanceof InterruptedError) return interruptedBy(error)
  return { outcome: error instanceof NotFoundError ? 'failed' : 'retry', error }
}

const stopping = () => new InterruptedError('This worker is stopping.')
const interruptedBy = (error: Error): JobOutcome => ({ outcome: 'interrupted', error })

async function settle(job: Job, token: string | undefined, result: JobOutcome): Promise<unknown> {
  switch (result.outcome) {
    case 'done':
      return result.facts
    case 'failed':
      throw new UnrecoverableError(withHint(result.error))
    case 'retry':
      throw result.error
    case 'interrupted':
      await job.moveToWait(token)
      throw new WaitingError()
    case 'later':
      // the lease ends by the database's clock: ours may be ahead of it
      await job.moveToDelayed(Math.max(result.until.getTime(), Date.now() + minDelayMs), token)
      throw new DelayedError()
  }
}

/** What a person reads who looks at a failed job. */
const withHint = (error: Error) =>
  error instanceof ExportError && error.hint !== undefined
    ? `${error.message} ${error.hint}`
    : error.message

function logOutcome(log: Logger, { facts, ...result }: JobOutcome): void {
  switch (result.outcome) {
    case 'done':
      log.info({ ...facts }, 'job done')
      return
    case 'failed':
      log.error({ err: result.error, ...codeOf(result.error), ...facts }, 'job failed')
      return
    case 'retry':
      log.warn(
        { err: result.error, ...codeOf(result.error), ...facts },
        'attempt failed, another follows',
      )
      return
    case 'interrupted':
      log.info(
        { reason: result.error.message, ...facts },
        'job interrupted, goes back to the queue',
      )
      return
    case 'later':
      log.info({ until: result.until }, 'export is held by another worker')
  }
}

const codeOf = (error: Error) => (error instanceof ExportError ? { code: error.code } : {})
