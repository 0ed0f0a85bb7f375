import type { EventEmitter } from 'node:events'
import { withBackend, type PostgresConnectionOptions } from 'bullmq'
import { createPatientBackend } from './patient-backend.ts'

/** BullMQ's own tables, apart from Longhaul's. */
const schema = 'longhaul_queue'

/** Every statement of the queue is short, at worst one of those that set it up: without an answer by then it has none, ms. */
const queryTimeoutMs = 10_000

const classes = withBackend(createPatientBackend)

/** Where the queue lives, and the classes of BullMQ bound to it. */
export interface QueueConnection {
  readonly classes: typeof classes
  readonly connection: PostgresConnectionOptions
}

/**
 * The queue in the control database: a small installation needs no Redis.
 * @param url of the control database
 * @param connections for ordinary statements; a worker has one more that listens
 */
export function postgresQueue(
  url: string,
  { connections }: { connections: number },
): QueueConnection {
  return {
    classes,
    connection: {
      connectionString: url,
      schema,
      // brings BullMQ's tables up to date, under a lock of its own
      migrate: true,
      max: connections,
      application_name: 'longhaul-queue',
      connectionTimeoutMillis: 10_000,
      query_timeout: queryTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // BullMQ brings its tables up to date on a connection that nobody listens to: one that broke just
      // then would end the process. What waits on it is rejected all the same.
      onConnect: (client: EventEmitter) => void client.on('error', () => undefined),
    },
  }
}
