/** The composition root: joins configuration, adapters, use cases and job definitions. */
import { exportJob } from '../jobs/export.ts'
import type { Config } from './config.ts'
import type { ArtifactStore, ExportRecords, UnattendedCursor } from './export/ports.ts'
import { reconcileExports, type ReconcileDeps } from './export/reconcile-exports.ts'
import { createExportWatch } from './export/watch-exports.ts'
import type { RunExportSettings } from './export/run-export.ts'
import { buildApp } from './http/app.ts'
import { listen } from './http/listen.ts'
import type { Logger } from './logger.ts'
import { createExportRecords } from './postgres/export-records.ts'
import { assertMigrated } from './postgres/migrate.ts'
import { createPool } from './postgres/pool.ts'
import { createRowSource } from './postgres/snapshot.ts'
import { postgresQueue } from './queue/connection.ts'
import { createProducer } from './queue/producer.ts'
import { startWorker } from './queue/worker.ts'
import { systemClock } from './runtime/clock.ts'
import { startPeriodic, type Periodic } from './runtime/periodic.ts'
import { withResources, type Resources } from './runtime/resources.ts'
import { createArtifactStore } from './s3/artifact-store.ts'
import { createS3Client } from './s3/client.ts'

const dayMs = 24 * 3600 * 1000
/** Between two writes of progress: a cancel is noticed within this time, too. */
const progressMs = 1000

/** Between two looks at the exports that somebody waits for. */
const watchMs = 250

/** Between two looks for exports that have no job. */
const reconcileMs = 10_000

/** A part of the system that runs until it is stopped. */
export interface Service {
  /** Returns when truly stopped; safe to call again. */
  stop(): Promise<void>
}

export interface Server extends Service {
  /** Where it answers. */
  readonly url: string
}

interface Base {
  readonly resources: Resources
  readonly records: ExportRecords
  readonly artifacts: ArtifactStore
}

/** What server and worker share. @throws ConfigError when the control database is not migrated, SourceError */
async function composeBase(config: Config, logger: Logger, resources: Resources): Promise<Base> {
  const control = resources.add(
    createPool(config.databaseUrl, { role: 'control database' }),
    (pool) => pool.close(),
  )
  await assertMigrated(control)
  const client = resources.add(createS3Client(config.s3), (s3) => s3.destroy())
  const artifacts = createArtifactStore({
    client,
    bucket: config.s3.bucket,
    onCleanupFailed: (key, error) =>
      logger.warn({ key, err: error }, 'could not clean up after a failed upload'),
  })
  return { resources, records: createExportRecords(control), artifacts }
}

/** Starts the HTTP interface. @throws ConfigError, SourceError, QueueError */
export const startServer = (config: Config, logger: Logger): Promise<Server> =>
  withResources(async (resources) => {
    const { records, artifacts } = await composeBase(config, logger, resources)
    const connection = postgresQueue(config.databaseUrl, { connections: 2 })
    const queue = resources.add(
      await createProducer(connection, exportJob.name, logger),
      (producer) => producer.close(),
    )
    const { linkTtlSeconds, streamConcurrency } = config
    const deps = {
      ...{ records, queue, artifacts, clock: systemClock, logger },
      ...{ linkTtlSeconds, streamConcurrency },
      source: createRowSource(config.sourceDatabaseUrl),
      watch: createExportWatch({ records }, { intervalMs: watchMs }),
      stallMs: config.stallSeconds * 1000,
      maxMs: config.maxSeconds * 1000,
      shutdownGraceMs: config.shutdownGraceSeconds * 1000,
    }
    const app = resources.add(await buildApp(deps), (built) => built.close())
    const url = await listen(app, config)
    logger.info({ url }, 'server ready')
    return { url, stop: () => resources.release() }
  })

/** By a timer, not by a job: it is there for the case that jobs were lost. */
function startReconciler(deps: ReconcileDeps, logger: Logger): Periodic {
  let after: UnattendedCursor | undefined
  const reconcile = async (options: { readonly signal: AbortSignal }) => {
    const { dispatched, looked, next } = await reconcileExports(deps, after, options)
    after = next
    if (dispatched.length > 0) logger.warn({ dispatched, looked }, 'exports without a job enqueued')
  }
  return startPeriodic(reconcile, {
    intervalMs: reconcileMs,
    onError: (error) => logger.warn({ err: error }, 'could not look for exports without a job'),
  })
}

/** Starts a worker. @throws ConfigError, SourceError, QueueError */
export const startExportWorker = (config: Config, logger: Logger): Promise<Service> =>
  withResources(async (resources) => {
    const { records, artifacts } = await composeBase(config, logger, resources)
    const leaseMs = config.leaseSeconds * 1000
    const settings: RunExportSettings = {
      keyPrefix: config.keyPrefix,
      leaseMs,
      stallMs: config.stallSeconds * 1000,
      maxMs: config.maxSeconds * 1000,
      progressMs,
      artifactTtlMs: config.artifactTtlDays * dayMs,
      maxFailures: config.maxFailures,
      maxAttempts: config.maxAttempts,
    }
    const source = createRowSource(config.sourceDatabaseUrl)
    const connection = postgresQueue(config.databaseUrl, { connections: 4 })
    const deps = { records, source, artifacts, clock: systemClock, settings }
    const worker = await startWorker(connection, exportJob, deps, {
      concurrency: config.exportConcurrency,
      lockMs: leaseMs,
      logger,
    })
    resources.add(worker, (running) =>
      running.stop({ graceMs: config.shutdownGraceSeconds * 1000 }),
    )
    const queue = resources.add(
      await createProducer(
        postgresQueue(config.databaseUrl, { connections: 2 }),
        exportJob.name,
        logger,
      ),
      (producer) => producer.close(),
    )
    resources.add(startReconciler({ records, queue, clock: systemClock }, logger), (running) =>
      running.stop(),
    )
    logger.info({ concurrency: config.exportConcurrency }, 'worker ready')
    return { stop: () => resources.release() }
  })
