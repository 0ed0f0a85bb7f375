import { setTimeout as sleep } from 'node:timers/promises'
import { QueueError } from '../errors.ts'
import { untilAborted } from '../runtime/abort.ts'
import { postgresQueue, redisQueue, type QueueConnection } from './connection.ts'
import { probeRedis, type RedisFacts } from './probe-redis.ts'
import type { ErrorLog } from './queue-errors.ts'
import {
  createRedisClient,
  describeRedis,
  type RedisSettings,
  type RedisUse,
} from './redis-client.ts'

export interface QueueSettings {
  /** Of the control database, which holds the queue where there is no Redis. */
  readonly databaseUrl: string
  readonly redis: RedisSettings | undefined
}

export interface OpenOptions {
  readonly logger: ErrorLog
  /** Where given, a Redis that cannot be reached is waited for until it is aborted. */
  readonly waitUntil?: AbortSignal | undefined
}

/** Between two looks for a Redis that is waited for, ms. */
const pauseMs = 1000

/** A Redis that is waited for is complained about at this interval, ms. */
const complaintMs = 60_000

/**
 * Where the queue is. Redis is asked first whether it can be one.
 * @throws QueueError, ConfigError when Redis evicts keys, or the signal's reason
 */
export async function openQueue(
  { databaseUrl, redis }: QueueSettings,
  { logger, waitUntil }: OpenOptions,
): Promise<QueueConnection> {
  if (redis === undefined) return postgresQueue(databaseUrl)
  const { answersInfo } = await (waitUntil === undefined
    ? probeRedis(redis)
    : waitForRedis(redis, logger, waitUntil))
  if (!answersInfo) {
    logger.warn(
      { redis: describeRedis(redis) },
      'Redis does not say whether it evicts keys: make sure that its maxmemory-policy is noeviction, or jobs may vanish',
    )
  }
  const createClient = (use: RedisUse) => () =>
    createRedisClient(redis, use, { readyCheck: answersInfo })
  return redisQueue(
    { createClient: createClient('producer') },
    { createClient: createClient('worker') },
    // the braces keep all keys of a queue on one node of a cluster, as the scripts of BullMQ need it
    { prefix: `{${redis.prefix}}`, skipVersionCheck: !answersInfo },
  )
}

async function waitForRedis(
  redis: RedisSettings,
  logger: ErrorLog,
  signal: AbortSignal,
): Promise<RedisFacts> {
  let complainedAt = -Infinity
  for (;;) {
    try {
      return await untilAborted(probeRedis(redis), signal)
    } catch (error) {
      if (!(error instanceof QueueError) || !error.retryable) throw error
      if (performance.now() - complainedAt >= complaintMs) {
        complainedAt = performance.now()
        logger.warn({ err: error }, 'waiting for the queue')
      }
    }
    await untilAborted(sleep(pauseMs), signal)
  }
}
