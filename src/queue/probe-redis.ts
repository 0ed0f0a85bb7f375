import { ReplyError } from 'ioredis'
import { ConfigError, ExportError, QueueError } from '../errors.ts'
import {
  createRedisClient,
  describeRedis,
  type RedisClient,
  type RedisSettings,
} from './redis-client.ts'

export interface RedisFacts {
  /** Some services forbid to ask with INFO. */
  readonly answersInfo: boolean
}

/**
 * Asks once whether Redis can hold the queue: it is there, lets us in, and evicts nothing.
 * @throws QueueError; it is retryable unless Redis refuses what we are
 * @throws ConfigError when it evicts keys to make room, as it might a job or its lock
 */
export const probeRedis = (settings: RedisSettings): Promise<RedisFacts> =>
  askRedis(settings, async (client) => {
    const info = await readInfo(client)
    const policy = info && policyOf(info)
    if (policy !== undefined && policy !== 'noeviction') {
      throw new ConfigError([
        `REDIS_URL: expected a Redis whose maxmemory-policy is noeviction, got ${policy} at ${describeRedis(settings)}: ` +
          'when its memory is full it would delete jobs and locks. Set it with: CONFIG SET maxmemory-policy noeviction',
      ])
    }
    return { answersInfo: info !== undefined }
  })

/**
 * Asks Redis something, over a connection of its own that is tried once.
 * @throws QueueError as of `probeRedis`, and the ExportErrors of `work`
 */
export async function askRedis<T>(
  settings: RedisSettings,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = createRedisClient(settings, 'probe')
  let lastError: unknown
  client.on('error', (error: unknown) => (lastError = error))
  try {
    await client.connect()
    return await work(client)
  } catch (error) {
    if (error instanceof ExportError) throw error
    // a connection that fails tells why by an event
    throw unreachable(settings, isReply(error) ? error : (lastError ?? error))
  } finally {
    client.disconnect()
  }
}

/** Undefined where we may not ask. */
export const readInfo = (client: Pick<RedisClient, 'info'>): Promise<string | undefined> =>
  unlessForbidden(client.info())

/** Undefined where Redis knows the command, but not for us, or where a service has taken it away. */
export const unlessForbidden = <T>(asked: Promise<T>): Promise<T | undefined> =>
  asked.catch((error: unknown) => {
    if (isReply(error) && /^(NOPERM|ERR unknown command)/i.test(error.message)) return undefined
    throw error
  })

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
    hint: /cluster support disabled/i.test(message)
      ? 'Take REDIS_CLUSTER away, or let REDIS_URL lead to a server of the cluster.'
      : 'Check that it runs, and that REDIS_URL leads there.',
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

const policyOf = (info: string) => infoField(info, 'maxmemory_policy')

/** One field of the answer to INFO. */
export const infoField = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
