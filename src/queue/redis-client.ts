import { Cluster, Redis, type RedisOptions } from 'ioredis'

/** Redis or Valkey: one server, one that Sentinels name, or a cluster. */
export interface RedisSettings {
  /** `redis://` or, with TLS, `rediss://`: user, password, server and number of the database. */
  readonly url: string
  /** Put before every key. */
  readonly prefix: string
  /** The server of the URL is one of a cluster, which tells the others. */
  readonly cluster: boolean
  /** Where given, they tell the server, in place of the URL. */
  readonly sentinel?:
    | {
        readonly hosts: readonly { readonly host: string; readonly port: number }[]
        /** Name of the group of servers, one of which is the master. */
        readonly master: string
        readonly username?: string | undefined
        readonly password?: string | undefined
      }
    | undefined
}

/**
 * What a connection is for. A `producer` fails at once when there is no server, a `worker` waits for it, a
 * `probe` tries once.
 */
export type RedisUse = 'producer' | 'worker' | 'probe'

export type RedisClient = Redis | Cluster

/** An attempt to connect has failed by then, ms. */
const connectTimeoutMs = 5_000

/** No answer of a producer's command takes longer, ms; who asked is told so. */
const commandTimeoutMs = 5_000

/**
 * A connection on which a command has been without any answer for so long is dead, ms. It must be longer than
 * the 10 s that BullMQ may have a worker wait for a job.
 */
const silenceMs = 15_000

/** Between two attempts to connect, at most, ms: a server that is back is soon found. */
const longestPauseMs = 2_000

const pauseBefore = (attempt: number) => Math.min(longestPauseMs, 100 * 2 ** Math.min(attempt, 10))

/** How each use meets a server that is away. */
const patience = {
  producer: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    retryStrategy: pauseBefore,
  },
  // BullMQ wants null of whatever blocks
  worker: { maxRetriesPerRequest: null, retryStrategy: pauseBefore },
  probe: {
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    retryStrategy: () => null,
    // it asks for INFO itself, and is told of a server that is still loading
    enableReadyCheck: false,
  },
} satisfies Record<RedisUse, RedisOptions>

/**
 * A client that is not connected yet: it is by its first command, or by `connect()`.
 * @param readyCheck whether it may ask with INFO if the server has loaded its data
 */
export function createRedisClient(
  { url, prefix, cluster, sentinel }: RedisSettings,
  use: RedisUse,
  { readyCheck = true }: { readonly readyCheck?: boolean } = {},
): RedisClient {
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  const tls = protocol === 'rediss:' ? { tls: {} } : {}
  const common = {
    lazyConnect: true,
    // in CLIENT LIST; BullMQ names those that wait for jobs itself
    connectionName: `longhaul:${prefix}`,
    connectTimeout: connectTimeoutMs,
    socketTimeout: silenceMs,
    enableReadyCheck: readyCheck,
    // after a failover a connection may still lead to what has become a replica
    reconnectOnError: ({ message }: Error) => message.startsWith('READONLY'),
    ...tls,
    ...patience[use],
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  }
  const host = hostname === '' ? '127.0.0.1' : hostname.replace(/^\[|\]$/g, '')
  const server = { host, port: port === '' ? 6379 : Number(port) }

  if (cluster) {
    const { retryStrategy, ...redisOptions } = common
    return new Cluster([server], {
      lazyConnect: true,
      enableOfflineQueue: use !== 'producer',
      clusterRetryStrategy: retryStrategy,
      redisOptions,
      // with TLS a certificate is for names, which the library would replace by addresses
      ...(protocol === 'rediss:' ? { dnsLookup: (name, done) => done(null, name) } : {}),
    })
  }
  const db = Number(pathname.slice(1))
  if (sentinel === undefined) return new Redis({ ...common, ...server, db })
  const secure = protocol === 'rediss:' ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}
  const { hosts, master, username: sentinelUsername, password: sentinelPassword } = sentinel
  return new Redis({
    ...common,
    ...secure,
    db,
    sentinels: [...hosts],
    name: master,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    sentinelRetryStrategy: use === 'probe' ? () => null : pauseBefore,
  })
}

/** Where that is, for people to read; without user and password. */
export function describeRedis({ url, cluster, sentinel }: RedisSettings): string {
  const { protocol, host } = new URL(url)
  if (sentinel === undefined) return `${protocol}//${host}${cluster ? ' (cluster)' : ''}`
  const hosts = sentinel.hosts.map((each) => `${each.host}:${each.port}`)
  return `${protocol}//${sentinel.master} by Sentinel ${hosts.join(', ')}`
}
