/** The composition root of `longhaul doctor`: joins what is asked of each part with the adapters that ask it. */
import { randomUUID } from 'node:crypto'
import { exportJob } from '../jobs/export.ts'
import { readDefinitions } from './compose-archive.ts'
import type { Config } from './config.ts'
import { allDatasets } from './datasets/registry.ts'
import { archiveChecks } from './doctor/archive-checks.ts'
import { bucketChecks } from './doctor/bucket-checks.ts'
import { controlChecks } from './doctor/control-checks.ts'
import { ok, type Finding } from './doctor/finding.ts'
import { judgeNode } from './doctor/judge-runtime.ts'
import type { BucketInspection } from './doctor/bucket-ports.ts'
import type { ControlInspection } from './doctor/ports.ts'
import { postgresQueueChecks, redisChecks } from './doctor/queue-checks.ts'
import { runChecks, type Check } from './doctor/run-checks.ts'
import { serverChecks } from './doctor/server-checks.ts'
import { sourceChecks } from './doctor/source-checks.ts'
import { webhookChecks } from './doctor/webhook-checks.ts'
import {
  archiveProbesFolder,
  archivesFolder,
  exportsFolder,
  probesFolder,
} from './export/object-key.ts'
import { probePort } from './http/probe-port.ts'
import { inspectControl } from './postgres/inspect-control.ts'
import { inspectSource } from './postgres/inspect-source.ts'
import { inspectRedis } from './queue/inspect-redis.ts'
import { queueSchema } from './queue/postgres-backend.ts'
import { probePostgresQueue } from './queue/probe-postgres-queue.ts'
import { systemClock, type Clock } from './runtime/clock.ts'
import { createResources, type Resources } from './runtime/resources.ts'
import { createS3Client } from './s3/client.ts'
import { inspectBucket } from './s3/inspect-bucket.ts'
import { version } from './version.ts'
import { inspectWebhook } from './webhook/inspect-webhook.ts'

/** Of each check: less than what a connection may take, whose error would say less. */
const checkTimeoutMs = 8_000

export interface DiagnoseOptions {
  /** Ends the checks; what was not looked at is skipped then. */
  readonly signal: AbortSignal
  /** Of each check, ms. */
  readonly timeoutMs?: number
  readonly clock?: Clock
}

/**
 * Looks at all that the configuration names, and changes nothing that stays: what it puts into the bucket it
 * removes again, also after it was interrupted. Never throws.
 */
export async function diagnose(
  config: Config,
  { signal, timeoutMs = checkTimeoutMs, clock = systemClock }: DiagnoseOptions,
): Promise<readonly Finding[]> {
  const resources = createResources()
  const control = inspectControl(config.databaseUrl, { clock, queueSchemaName: queueSchema })
  const checks: readonly Check[] = [
    { part: 'this machine', name: 'Longhaul', look: () => ok(version) },
    { part: 'this machine', name: 'Node', look: () => judgeNode(process.version) },
    ...serverChecks(probePort, { ...config, keys: config.apiKeys }),
    ...controlChecks(control, { holdsQueue: config.redis === undefined }),
    ...sourceChecks(
      inspectSource(config.sourceDatabaseUrl, { clock }),
      allDatasets,
      {
        maxMs: config.maxSeconds * 1000,
        connections: Math.max(config.exportReaders, config.exportConcurrency),
      },
      clock,
    ),
    ...(config.redis === undefined
      ? postgresQueueChecks(control, probePostgresQueue(config.databaseUrl, exportJob.name))
      : redisChecks(inspectRedis(config.redis))),
    ...checksOfBucket(config, resources, clock),
    ...checksOfArchive(config, control, resources, clock),
    ...checksOfWebhook(config),
  ]
  try {
    return await runChecks(checks, { timeoutMs, signal })
  } finally {
    await resources.release()
  }
}

function checksOfBucket(config: Config, resources: Resources, clock: Clock): readonly Check[] {
  const { s3, keyPrefix, linkTtlSeconds, maxSeconds, artifactTtlDays } = config
  const folder = exportsFolder(keyPrefix)
  const places = { folder, probes: probesFolder(keyPrefix) }
  const use = {
    ...{ folder, linkTtlSeconds, maxSeconds, artifactTtlDays },
    otherLinkAddress: s3.linkEndpoint !== undefined,
    settings: { S3_ENCRYPTION: s3.encryption, S3_STORAGE_CLASS: s3.storageClass },
  }
  return bucketChecks(inspectFolder(config, places, resources, clock), use, clock)
}

/** None where there is no archive. */
function checksOfArchive(
  config: Config,
  control: ControlInspection,
  resources: Resources,
  clock: Clock,
): readonly Check[] {
  const { archive, keyPrefix } = config
  if (archive.pattern === undefined && archive.file === undefined) return []
  const folder = archivesFolder(keyPrefix)
  const places = { folder, probes: archiveProbesFolder(keyPrefix) }
  const bucket = inspectFolder(config, places, resources, clock)
  const define = () => readDefinitions(archive).map(({ name, calendar }) => ({ name, ...calendar }))
  return archiveChecks({ define, control, bucket }, folder)
}

function checksOfWebhook({ alerts, archive }: Config): readonly Check[] {
  if (alerts === undefined) return []
  return webhookChecks(inspectWebhook(alerts), { isScheduled: archive.pattern !== undefined })
}

interface Places {
  readonly folder: string
  /** Below it are the objects that are put there for a moment. */
  readonly probes: string
}

/** By clients of its own: each tells the time of its own answers. */
function inspectFolder(
  { s3 }: Config,
  { folder, probes }: Places,
  resources: Resources,
  clock: Clock,
): BucketInspection {
  const connect = (endpoint: string | undefined) =>
    resources.add(createS3Client({ ...s3, endpoint }), (client) => client.destroy())
  const client = connect(s3.endpoint)
  const linkClient = s3.linkEndpoint === undefined ? client : connect(s3.linkEndpoint)
  return resources.add(
    inspectBucket(
      { client, linkClient, settings: s3, clock },
      { folder, key: `${probes}${randomUUID()}` },
    ),
    (inspection) => inspection.close(),
  )
}
