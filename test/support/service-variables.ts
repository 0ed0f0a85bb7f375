import type { KillablePostgres } from './killable-postgres.ts'
import type { KillableRedis } from './killable-redis.ts'
import type { KillableStore } from './killable-store.ts'

/** The servers that an installation needs. */
export interface Servers {
  readonly control: KillablePostgres
  readonly source: KillablePostgres
  readonly store: KillableStore
  /** Undefined: the queue is in the control database. */
  readonly queue?: KillableRedis | undefined
}

/** What a process of Longhaul needs to reach them. */
export const serviceVariables = ({ control, source, store, queue }: Servers) => ({
  DATABASE_URL: control.url,
  SOURCE_DATABASE_URL: source.url,
  S3_ENDPOINT: store.endpoint,
  S3_BUCKET: store.bucket,
  S3_REGION: store.region,
  S3_FORCE_PATH_STYLE: 'true',
  AWS_ACCESS_KEY_ID: store.accessKeyId,
  AWS_SECRET_ACCESS_KEY: store.secretAccessKey,
  WORKER_PORT: '0',
  ...(queue === undefined ? {} : { REDIS_URL: queue.url }),
})
