import { ReplyError } from 'ioredis'
import { ConfigError, QueueError } from '../errors.ts'
import { createRedisClient, describeRedis, type RedisSettings } from './redis-client.ts'

export interface RedisFacts {
  /** Some services forbid to ask with INFO. */
  readonly answersInfo: boolean
}

/**
 * Asks once whether Redis can hold the queue: it is there, lets us in, and evicts nothing.
 * @throws QueueError; it is retryable unless Redis refuses what we are
 * @throws ConfigError when it evicts keys to make room, as it might a job or its lock
 */
export async function probeRedis(settings: RedisSettings): Promise<RedisFacts> {
  const client = createRedisClient(settings, 'probe')
  let lastError: unknown
  client.on('error', (error: unknown) => (lastError = error))
  try {
    await client.connect()
    const policy = policyOf(await client.info())
    if (policy !== undefined && policy !== 'noeviction') {
      throw new ConfigError([
        `REDIS_URL: expected a Redis whose maxmemory-policy is noeviction, got ${policy} at ${describeRedis(settings)}: ` +
          'when its memory is full it would delete jobs and locks. Set it with: CONFIG SET maxmemory-policy noeviction',
      ])
    }
    return { answersInfo: true }
  } catch (error) {
    if (error instanceof ConfigError) throw error
    // a connection that fails tells why by an event
    const cause = isReply(error) ? error : (lastError ?? error)
    if (isReply(cause) && cause.message.startsWith('NOPERM')) return { answersInfo: false }
    throw unreachable(settings, cause)
  } finally {
    client.disconnect()
  }
}

/** What Redis itself said, rather than a connection that broke. */
const isReply = (error: unknown): error is Error => error instanceof ReplyError

/** What Redis says while it starts, or while a failover goes on. */
const passing = /^(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)/

function unreachable(settings: RedisSettings, cause: unknown): QueueError {
  const where = describeRedis(settings)
  const message = reasonOf(cause)
  if (isReply(cause) && !passing.test(message)) {
    return new QueueError(`Redis at ${where} refuses the connection: ${message}.`, {
      ...{ cause, retryable: false },
      hint: 'Check user, password and rights in REDIS_URL.',
    })
  }
  if (isAboutCertificate(cause)) {
    return new QueueError(`Redis at ${where} cannot be trusted: ${message}.`, {
      ...{ cause, retryable: false },
      hint: 'Name the certificate of a private authority in NODE_EXTRA_CA_CERTS, and the server in REDIS_URL as its certificate does.',
    })
  }
  return new QueueError(`Redis at ${where} cannot be reached: ${message}.`, {
    cause,
    hint: 'Check that it runs, and that REDIS_URL leads there.',
  })
}

/** By the codes of OpenSSL and Node. */
const isAboutCertificate = (error: unknown) =>
  /CERT|VERIFY|ISSUER/.test(String((error as { readonly code?: unknown } | undefined)?.code))

/** Of `localhost`, or of a cluster, each address failed in a way of its own. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  if (!(error instanceof Error)) return String(error)
  const { lastNodeError } = error as { readonly lastNodeError?: unknown }
  return lastNodeError === undefined ? error.message : reasonOf(lastNodeError)
}

const policyOf = (info: string) => /^maxmemory_policy:(.*?)\r?$/m.exec(info)?.[1]
