import {
  withBackend,
  type BackendFactory,
  type IQueueBackend,
  type PostgresConnectionOptions,
  type Telemetry,
} from 'bullmq'
import { createPatientBackend, postgresOptions } from './postgres-backend.ts'
import { createOwningBackend, type RedisConnectionOptions } from './redis-backend.ts'
import { queueTelemetry } from './telemetry.ts'

type ConnectionOptions = PostgresConnectionOptions | RedisConnectionOptions

/** One factory for both, so that what is built on it knows of no difference. */
const createBackend: BackendFactory<IQueueBackend, ConnectionOptions> = (name, options, roles) => {
  const { connection } = options
  return isRedis(connection)
    ? createOwningBackend(name, { ...options, connection }, roles)
    : createPatientBackend(name, { ...options, connection }, roles)
}

const isRedis = (connection: ConnectionOptions): connection is RedisConnectionOptions =>
  typeof connection === 'object' && 'createClient' in connection

const classes = withBackend(createBackend)

/** How BullMQ's queues and workers are to be made. */
export interface BackendOptions {
  readonly connection: ConnectionOptions
  readonly prefix?: string
  readonly skipVersionCheck?: boolean
  readonly telemetry: Telemetry
}

/** Where the queue lives, and the classes of BullMQ bound to it. */
export interface QueueConnection {
  readonly classes: typeof classes
  /** For what adds jobs or looks at them: it fails soon when the queue is away. */
  readonly producer: BackendOptions
  /** For what runs jobs: it waits until the queue is back. */
  readonly worker: BackendOptions
}

/** The queue in the control database: a small installation needs no Redis. */
export const postgresQueue = (url: string): QueueConnection => {
  const telemetry = queueTelemetry()
  return {
    classes,
    producer: { connection: postgresOptions(url, 2), telemetry },
    worker: { connection: postgresOptions(url, 4), telemetry },
  }
}

export const redisQueue = (
  producer: RedisConnectionOptions,
  worker: RedisConnectionOptions,
  options: { readonly prefix: string; readonly skipVersionCheck: boolean },
): QueueConnection => {
  const shared = { ...options, telemetry: queueTelemetry() }
  return {
    classes,
    producer: { connection: producer, ...shared },
    worker: { connection: worker, ...shared },
  }
}
