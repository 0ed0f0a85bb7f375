import { createPostgresBackend, withBackend, type PostgresConnectionOptions } from 'bullmq'

/** BullMQ's own tables, apart from Longhaul's. */
const schema = 'longhaul_queue'

const classes = withBackend(createPostgresBackend)

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
      // a connection that went silent is given up, instead of being waited for until the system does
      query_timeout: 30_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
  }
}
