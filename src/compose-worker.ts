/** The composition root of the worker, and of a single sweep. */
import { exportJob } from '../jobs/export.ts'
import { retentionSweepJob } from '../jobs/retention-sweep.ts'
import { hasManifest, isNamed } from './archive/named-artifact.ts'
import { startAlarms, warnOfIdleAlerts } from './compose-alarms.ts'
import { readDefinitions, startArchiver } from './compose-archive.ts'
import { composeBase, createProcessReadiness, type Base, type Server } from './compose.ts'
import type { Config } from './config.ts'
import type { ExportRecord } from './export/model.ts'
import { admitAll, type AdmitDeps, type AdmitOptions } from './export/admit-exports.ts'
import type { UnattendedCursor } from './export/ports.ts'
import { reconcileExports, type ReconcileDeps } from './export/reconcile-exports.ts'
import type { RunExportSettings } from './export/run-export.ts'
import { listen } from './http/listen.ts'
import { buildWorkerApp } from './http/worker-app.ts'
import type { Logger } from './logger.ts'
import { measuredSource } from './metrics/measured-source.ts'
import { measuredSweep } from './metrics/measured-sweep.ts'
import { createProcessRegistry, createRegistry } from './metrics/registry.ts'
import { createRowSource } from './postgres/snapshot.ts'
import { sourceLimits } from './postgres/source-limits.ts'
import { openQueue } from './queue/open-queue.ts'
import { createProducer } from './queue/producer.ts'
import { startScheduled } from './queue/start-scheduled.ts'
import { startWorker } from './queue/worker.ts'
import { sweep, type Sweep, type SweepReport } from './retention/sweep.ts'
import { systemClock } from './runtime/clock.ts'
import { startPeriodic, type Periodic } from './runtime/periodic.ts'
import { createResources, withResources } from './runtime/resources.ts'
import { MiB } from './runtime/units.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** Between two writes of progress: a cancel is noticed within this time, too. */
const progressMs = 1000

/** What a reader reads before it turns to what follows on what the others read, bytes. */
const segmentBytes = 4 * MiB

/**
 * Parts that may have to be uploaded before a reader that is ahead goes on: what is read ahead, and what is in
 * flight. Each of them may take `STALL_SECONDS`.
 */
const partsBehind = 5

/** Between two looks for exports that nobody runs, at most, ms. */
const reconcileMs = 10_000

/**
 * Starts a worker, and where it tells of itself. With a signal it waits for a Redis that is away, until that is aborted.
 * @throws ConfigError, SourceError, QueueError, or the signal's reason
 */
export const startExportWorker = (
  config: Config,
  logger: Logger,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Server> =>
  withResources(async (resources) => {
    const { pattern } = config.archive
    // what is wrong with them shows before anything is asked
    const archives = pattern === undefined ? [] : readDefinitions(config.archive)
    const registry = createProcessRegistry()
    const readiness = createProcessReadiness(logger)
    // the first to answer and the last to fall silent: it is alive for as long as it takes to stop
    const app = resources.add(
      buildWorkerApp({ logger, metrics: registry, readiness, apiKeys: config.apiKeys }),
      (built) => built.close(),
    )
    const address = { host: config.host, port: config.workerPort }
    const url = await listen(app, address, { variable: 'WORKER_PORT' })
    const base = await composeBase(config, logger, resources, registry)
    const connection = await openQueue(config, { logger, waitUntil: signal })
    const sweeper = measuredSweep(createSweep(base, config), registry)
    await startScheduled(connection, retentionSweepJob, sweeper, { resources, logger })
    const { records, artifacts, manifests } = base
    const settings = exportSettings(config)
    const source = resources.add(
      createRowSource(config.sourceDatabaseUrl, {
        limits: sourceLimits({ ...settings, restMs: partsBehind * settings.stallMs }),
        readers: config.exportReaders,
        segmentBytes,
        readAheadBytes: config.exportReaders * 2 * segmentBytes,
      }),
      (opened) => opened.close(),
    )
    const queue = resources.add(
      await createProducer(connection, exportJob.name, logger),
      (producer) => producer.close(),
    )
    if (pattern !== undefined) {
      const schedule = { ...config.archive, pattern }
      const { keyPrefix } = config
      await startArchiver({ ...base, queue }, archives, schedule, keyPrefix, connection, logger)
      await startAlarms({ ...base, registry, readiness }, archives, config, connection, logger)
    } else warnOfIdleAlerts(config, logger)
    // an export whose lease has ended is handed on within the time of another lease
    const intervalMs = Math.min(reconcileMs, settings.leaseMs / 2)
    const reconcileDeps = { records, queue, clock: systemClock }
    const { perKey } = settings
    const reconciler = startReconciler(reconcileDeps, { intervalMs, perKey, logger })
    resources.add(reconciler, (running) => running.stop())
    const measured = measuredSource(source, registry)
    const isArchived = (record: ExportRecord) => hasManifest(manifests, config.keyPrefix, record)
    const deps = {
      ...{ records, queue, source: measured, artifacts, isArchived },
      ...{ clock: systemClock, settings },
    }
    const worker = await startWorker(connection, exportJob, deps, {
      concurrency: config.exportConcurrency,
      lockMs: settings.leaseMs,
      logger,
    })
    // the last to be added is the first to stop: it takes no more jobs, whatever the others wait for
    resources.add(worker, (running) =>
      running.stop({ graceMs: config.shutdownGraceSeconds * 1000 }),
    )
    readiness.needs({ ...base.probes, queue: queue.probe })
    logger.info({ concurrency: config.exportConcurrency, url }, 'worker ready')
    return { url, stop: () => resources.release() }
  })

/** Sweeps once, now. @throws ConfigError, SourceError, StoreError */
export async function sweepOnce(
  config: Config,
  logger: Logger,
  options: { readonly signal: AbortSignal },
): Promise<SweepReport> {
  const resources = createResources()
  try {
    const base = await composeBase(config, logger, resources, createRegistry())
    return await createSweep(base, config)(options)
  } finally {
    await resources.release()
  }
}

const exportSettings = (config: Config): RunExportSettings => ({
  keyPrefix: config.keyPrefix,
  leaseMs: config.leaseSeconds * 1000,
  perKey: config.exportConcurrencyPerKey === 0 ? undefined : config.exportConcurrencyPerKey,
  stallMs: config.stallSeconds * 1000,
  maxMs: config.maxSeconds * 1000,
  progressMs,
  artifactTtlMs: config.artifactTtlDays * dayMs,
  maxFailures: config.maxFailures,
  maxAttempts: config.maxAttempts,
})

function createSweep({ records, artifacts, manifests }: Base, config: Config): Sweep {
  const settings = {
    keyPrefix: config.keyPrefix,
    orphanAgeMs: config.orphanAgeMinutes * minuteMs,
  }
  const isArchived = (record: ExportRecord, key: string) =>
    isNamed(manifests, config.keyPrefix, record, key)
  const deps = { records, artifacts, isArchived, clock: systemClock, settings }
  return (options) => sweep(deps, options)
}

type ReconcilerOptions = AdmitOptions & { readonly intervalMs: number; readonly logger: Logger }

/** By a timer, not by a job: it is there for the case that jobs were lost. */
function startReconciler(
  deps: ReconcileDeps & AdmitDeps,
  { intervalMs, perKey, logger }: ReconcilerOptions,
): Periodic {
  let after: UnattendedCursor | undefined
  const reconcile = async (options: { readonly signal: AbortSignal }) => {
    const { dispatched, looked, next } = await reconcileExports(deps, after, options)
    after = next
    if (dispatched.length > 0) logger.warn({ dispatched, looked }, 'exports without a job enqueued')
    const admitted = await admitAll(deps, { ...options, perKey })
    if (admitted.length > 0) logger.info({ admitted }, 'exports that were held back enqueued')
  }
  return startPeriodic(reconcile, {
    intervalMs,
    onError: (error) => logger.warn({ err: error }, 'could not look for exports without a job'),
  })
}
