import { setTimeout as sleep } from 'node:timers/promises'
import { createRedisBackend, type BackendFactory, type RedisQueueBackend } from 'bullmq'
import type { RedisClient } from './redis-client.ts'

/** How long a good-bye may take, ms: a server that is away or silent never answers it. */
const closeTimeoutMs = 2000

/** Where a queue or worker gets a client of its own. */
export interface RedisConnectionOptions {
  readonly createClient: () => RedisClient
}

/**
 * BullMQ's Redis backend, each with a client of its own that ends with it. BullMQ would make its clients
 * itself, but only where `require` exists; those that it is given it leaves open.
 */
export const createOwningBackend: BackendFactory<RedisQueueBackend, RedisConnectionOptions> = (
  name,
  options,
  roles,
) => {
  const client = options.connection.createClient()
  const backend = createRedisBackend(name, { ...options, connection: client }, roles)
  const close = backend.close.bind(backend)
  return Object.assign(backend, {
    async close(force?: boolean) {
      const closed = close(force).catch(() => undefined)
      await Promise.race([closed, sleep(closeTimeoutMs, undefined, { ref: false })])
      client.disconnect()
    },
  })
}
