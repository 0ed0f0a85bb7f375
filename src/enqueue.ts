/**
 * Requests exports from a process that can reach the control database, without a server in between.
 * Who cannot, or has no business there, uses the client.
 */
import type { z } from 'zod'
import { exportJob } from '../jobs/export.ts'
import {
  requestExport,
  type RequestedExport,
  type RequestOptions,
} from './export/request-export.ts'
import type { exportRequest } from './export/spec.ts'
import { createExportRecords } from './postgres/export-records.ts'
import { assertMigrated } from './postgres/migrate.ts'
import { createPool } from './postgres/pool.ts'
import { openQueue } from './queue/open-queue.ts'
import type { RedisSettings } from './queue/redis-client.ts'
import { createProducer } from './queue/producer.ts'
import type { ErrorLog } from './queue/queue-errors.ts'
import { systemClock } from './runtime/clock.ts'
import { withResources } from './runtime/resources.ts'

export interface EnqueuerOptions {
  /** Control database, as `DATABASE_URL` of server and worker. */
  readonly databaseUrl: string
  /** Redis or Valkey as the queue, where server and worker have `REDIS_URL`. Default: the control database. */
  readonly redis?:
    | (Pick<RedisSettings, 'url' | 'sentinel'> & {
        /** As `REDIS_PREFIX`. Default: longhaul. */
        readonly prefix?: string | undefined
        /** As `REDIS_CLUSTER`. Default: false. */
        readonly cluster?: boolean | undefined
      })
    | undefined
  /** Told of errors that no call waits for, such as a lost connection of the queue. Default: nobody. */
  readonly logger?: ErrorLog
}

/** The body of `POST /exports`. */
export type ExportRequestInput = z.input<typeof exportRequest>

export interface Enqueuer {
  /**
   * Checks a request, writes its record, and wakes a worker.
   * @throws SpecError (nothing was written), SourceError, QueueError (the record stays)
   */
  requestExport(request: ExportRequestInput, options?: RequestOptions): Promise<RequestedExport>
  /** Gives the connections back; safe to call again. */
  close(): Promise<void>
}

/** @throws ConfigError when the control database is not migrated, SourceError, QueueError */
export const createEnqueuer = ({
  databaseUrl,
  redis,
  logger = { warn: () => undefined, error: () => undefined },
}: EnqueuerOptions): Promise<Enqueuer> =>
  withResources(async (resources) => {
    const control = resources.add(
      createPool(databaseUrl, { role: 'control database', connections: 2 }),
      (pool) => pool.close(),
    )
    await assertMigrated(control)
    const { prefix = 'longhaul', cluster = false } = redis ?? {}
    const settings = { databaseUrl, redis: redis && { ...redis, prefix, cluster } }
    const connection = await openQueue(settings, { logger })
    const queue = resources.add(
      await createProducer(connection, exportJob.name, logger),
      (producer) => producer.close(),
    )
    const deps = { records: createExportRecords(control), queue, clock: systemClock }
    return {
      requestExport: (request, options) => requestExport(deps, request, options),
      close: () => resources.release(),
    }
  })
