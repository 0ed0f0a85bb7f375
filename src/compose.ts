/** The composition root: joins configuration, adapters, use cases and job definitions. Here the server. */
import type {
  AlarmMemory,
  ArchiveLedger,
  ArtifactComparer,
  ManifestStore,
  RetentionLedger,
} from './archive/ports.ts'
import { exportJob } from '../jobs/export.ts'
import type { Config } from './config.ts'
import type { ArtifactStore, ExportRecords } from './export/ports.ts'
import { createExportWatch, type WatchPace } from './export/watch-exports.ts'
import { buildApp } from './http/app.ts'
import { listen } from './http/listen.ts'
import type { Logger } from './logger.ts'
import { datasetNames } from './datasets/registry.ts'
import { measureAnswers } from './metrics/http-answers.ts'
import { measuredRecords } from './metrics/measured-records.ts'
import { measuredSource } from './metrics/measured-source.ts'
import { measurePool } from './metrics/pool-connections.ts'
import { createProcessRegistry, type Registry } from './metrics/registry.ts'
import { measureUnfinished } from './metrics/unfinished-exports.ts'
import { createAlarmMemory } from './postgres/alarm-memory.ts'
import { createArchiveLedger } from './postgres/archive-ledger.ts'
import { createExportRecords } from './postgres/export-records.ts'
import { createReplayLook } from './postgres/look-at-replay.ts'
import { assertMigrated } from './postgres/migrate.ts'
import { createPool } from './postgres/pool.ts'
import { probeSource } from './postgres/probe-source.ts'
import { createRetentionLedger } from './postgres/retention-ledger.ts'
import { createRowSource } from './postgres/snapshot.ts'
import { sourceLimits } from './postgres/source-limits.ts'
import { openQueue } from './queue/open-queue.ts'
import { createProducer } from './queue/producer.ts'
import { systemClock } from './runtime/clock.ts'
import { compareArtifacts } from './verify/compare-artifacts.ts'
import type { ArtifactReader } from './verify/ports.ts'
import { createReadiness, type Probe, type Readiness } from './runtime/readiness.ts'
import { withResources, type Resources } from './runtime/resources.ts'
import { MiB } from './runtime/units.ts'
import { createArtifactStore } from './s3/artifact-store.ts'
import { createS3Client } from './s3/client.ts'
import { createManifestStore } from './s3/manifest-store.ts'
import { readObject } from './s3/read-object.ts'

/**
 * How long a stream may rest at one batch of rows, ms: a client takes it as slowly as it likes, so long as
 * it takes some of it within `STALL_SECONDS`.
 */
const streamRestMs = 3_600_000

/** What is read for a stream before its client takes it, bytes: a server may have many of them. */
const streamReadAheadBytes = 1 * MiB

/** Of the looks at exports that somebody waits for. */
const watchPace: WatchPace = { shortestMs: 25, longestMs: 100 }

/** A part of the system that runs until it is stopped. */
export interface Service {
  /** Returns when truly stopped; safe to call again. */
  stop(): Promise<void>
}

export interface Server extends Service {
  /** Where it answers. */
  readonly url: string
}

export interface Base {
  readonly resources: Resources
  readonly records: ExportRecords
  readonly artifacts: ArtifactStore
  readonly manifests: ManifestStore
  readonly reader: ArtifactReader
  readonly comparer: ArtifactComparer
  readonly ledger: ArchiveLedger
  readonly retention: RetentionLedger
  readonly alarmMemory: AlarmMemory
  readonly lookAtReplay: ReturnType<typeof createReplayLook>
  /** Of what server and worker need, but for the queue. */
  readonly probes: Readonly<Record<string, Probe>>
}

/** Each part that is needed has so long to answer, ms; and is asked no more often than this, ms. */
const readinessPace = { timeoutMs: 2000, restMs: 1000 }

/** Looks whether what a process needs answers, and logs what does not. */
export const createProcessReadiness = (logger: Logger): Readiness =>
  createReadiness({
    ...readinessPace,
    onChange: (part, state, err) =>
      state === 'ok'
        ? logger.info({ part }, 'a part that is needed answers again')
        : logger.warn({ part, state, err }, 'a part that is needed does not answer'),
  })

/** What server and worker share. @throws ConfigError when the control database is not migrated, SourceError */
export async function composeBase(
  config: Config,
  logger: Logger,
  resources: Resources,
  registry: Registry,
): Promise<Base> {
  const control = resources.add(
    createPool(config.databaseUrl, { role: 'control database', kept: 2 }),
    (pool) => pool.close(),
  )
  await assertMigrated(control)
  const connectStore = (endpoint: string | undefined) =>
    resources.add(createS3Client({ ...config.s3, endpoint }), (s3) => s3.destroy())
  const { endpoint, linkEndpoint } = config.s3
  const client = connectStore(endpoint)
  const artifacts = resources.add(
    createArtifactStore({
      client,
      linkClient: linkEndpoint === undefined ? undefined : connectStore(linkEndpoint),
      bucket: config.s3.bucket,
      onCleanupFailed: (key, error) =>
        logger.warn({ key, err: error }, 'could not clean up behind an upload'),
    }),
    (store) => store.close(),
  )
  const probes: Base['probes'] = {
    control_database: () => control.query('select'),
    source_database: (options) => probeSource(config.sourceDatabaseUrl, options),
    bucket: artifacts.probe,
  }
  measurePool(() => control.usage(), registry)
  const records = measuredRecords(createExportRecords(control), registry)
  measureUnfinished(records, registry, { datasets: datasetNames })
  const manifests = createManifestStore(client, config.s3.bucket)
  const reader: ArtifactReader = {
    read: (key, options) => readObject(client, config.s3.bucket, key, options),
  }
  const ledger = createArchiveLedger(control)
  const comparer = compareArtifacts(reader)
  const retention = createRetentionLedger(control)
  const alarmMemory = createAlarmMemory(control)
  const lookAtReplay = createReplayLook(config.sourceDatabaseUrl)
  const archive = { lookAtReplay, manifests, reader, comparer, ledger, retention, alarmMemory }
  return { resources, records, artifacts, ...archive, probes }
}

/** Starts the HTTP interface. @throws ConfigError, SourceError, QueueError */
export const startServer = (config: Config, logger: Logger): Promise<Server> =>
  withResources(async (resources) => {
    const metrics = createProcessRegistry()
    const base = await composeBase(config, logger, resources, metrics)
    const { records, artifacts, manifests, ledger, retention, probes } = base
    const connection = await openQueue(config, { logger })
    const queue = resources.add(
      await createProducer(connection, exportJob.name, logger),
      (producer) => producer.close(),
    )
    const readiness = createProcessReadiness(logger)
    readiness.needs({ ...probes, queue: queue.probe })
    const { apiKeys, requestsPerSecond, linkTtlSeconds, streamConcurrency } = config
    const own = { stallMs: config.stallSeconds * 1000, maxMs: config.maxSeconds * 1000 }
    const takeMs = Math.max(own.stallMs, streamRestMs)
    const source = resources.add(
      createRowSource(config.sourceDatabaseUrl, {
        limits: sourceLimits({ ...own, takeMs }),
        readers: 1,
        segmentBytes: streamReadAheadBytes,
        readAheadBytes: streamReadAheadBytes,
      }),
      (opened) => opened.close(),
    )
    const deps = {
      ...{ records, queue, artifacts, manifests, ledger, retention, clock: systemClock, logger },
      keyPrefix: config.keyPrefix,
      ...{ apiKeys, requestsPerSecond, linkTtlSeconds, streamConcurrency },
      ...own,
      source: measuredSource(source, metrics),
      ...{ metrics, readiness, onAnswer: measureAnswers(metrics) },
      watch: createExportWatch({ records }, watchPace),
      shutdownGraceMs: config.shutdownGraceSeconds * 1000,
    }
    const app = resources.add(await buildApp(deps), (built) => built.close())
    const url = await listen(app, config, { variable: 'PORT' })
    logger.info({ url }, 'server ready')
    return { url, stop: () => resources.release() }
  })
