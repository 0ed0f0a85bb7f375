/** The composition root of `longhaul doctor`: joins what is asked of each part with the adapters that ask it. */
import { randomUUID } from 'node:crypto'
import { exportJob } from '../jobs/export.ts'
import type { Config } from './config.ts'
import { allDatasets } from './datasets/registry.ts'
import { bucketChecks } from './doctor/bucket-checks.ts'
import { controlChecks } from './doctor/control-checks.ts'
import { ok, type Finding } from './doctor/finding.ts'
import { judgeNode } from './doctor/judge-runtime.ts'
import { postgresQueueChecks, redisChecks } from './doctor/queue-checks.ts'
import { runChecks, type Check } from './doctor/run-checks.ts'
import { serverChecks } from './doctor/server-checks.ts'
import { sourceChecks } from './doctor/source-checks.ts'
import { exportsFolder, probesFolder } from './export/object-key.ts'
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
  ]
  try {
    return await runChecks(checks, { timeoutMs, signal })
  } finally {
    await resources.release()
  }
}

function checksOfBucket(config: Config, resources: Resources, clock: Clock): readonly Check[] {
  const { s3, keyPrefix, linkTtlSeconds, maxSeconds, artifactTtlDays } = config
  const connect = (endpoint: string | undefined) =>
    resources.add(createS3Client({ ...s3, endpoint }), (client) => client.destroy())
  const client = connect(s3.endpoint)
  const linkClient = s3.linkEndpoint === undefined ? client : connect(s3.linkEndpoint)
  const folder = exportsFolder(keyPrefix)
  const bucket = resources.add(
    inspectBucket(
      { client, linkClient, settings: s3, clock },
      { folder, key: `${probesFolder(keyPrefix)}${randomUUID()}` },
    ),
    (inspection) => inspection.close(),
  )
  const use = {
    ...{ folder, linkTtlSeconds, maxSeconds, artifactTtlDays },
    otherLinkAddress: s3.linkEndpoint !== undefined,
    settings: { S3_ENCRYPTION: s3.encryption, S3_STORAGE_CLASS: s3.storageClass },
  }
  return bucketChecks(bucket, use, clock)
}
