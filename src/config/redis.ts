/** Redis or Valkey as the queue. */
export interface RedisConfig {
  /** User, password, number of the database; and the server, unless Sentinels know it. */
  readonly url: string
  /** Put before every key. */
  readonly prefix: string
  /** The server of the URL is one of a cluster, which tells the others. */
  readonly cluster: boolean
  readonly sentinel: SentinelConfig | undefined
}

export interface SentinelConfig {
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  /** Name of the group of servers, one of which is the master. */
  readonly master: string
  readonly username: string | undefined
  readonly password: string | undefined
}

interface RedisVariables {
  readonly REDIS_URL?: string | undefined
  readonly REDIS_PREFIX: string
  readonly REDIS_CLUSTER: boolean
  readonly REDIS_SENTINELS?: SentinelConfig['hosts'] | undefined
  readonly REDIS_SENTINEL_MASTER?: string | undefined
  readonly REDIS_SENTINEL_USERNAME?: string | undefined
  readonly REDIS_SENTINEL_PASSWORD?: string | undefined
}

export function redisConfig(v: RedisVariables): RedisConfig | undefined {
  if (v.REDIS_URL === undefined) return undefined
  const hosts = v.REDIS_SENTINELS
  const sentinel = hosts && {
    hosts,
    master: v.REDIS_SENTINEL_MASTER ?? '',
    username: v.REDIS_SENTINEL_USERNAME,
    password: v.REDIS_SENTINEL_PASSWORD,
  }
  return { url: v.REDIS_URL, prefix: v.REDIS_PREFIX, cluster: v.REDIS_CLUSTER, sentinel }
}

const besides = ['REDIS_CLUSTER', 'REDIS_SENTINELS', 'REDIS_PREFIX'] as const

/** What no variable is alone to blame for. */
export function redisConflicts(
  given: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const problems: string[] = []
  const url = given['REDIS_URL']
  const cluster = given['REDIS_CLUSTER'] === 'true'
  for (const name of besides) {
    if (url === undefined && given[name] !== undefined) {
      problems.push(`${name}: expected REDIS_URL beside it, got nothing`)
    }
  }
  const sentinels = given['REDIS_SENTINELS'] !== undefined
  if (sentinels !== (given['REDIS_SENTINEL_MASTER'] !== undefined)) {
    problems.push(
      'REDIS_SENTINELS, REDIS_SENTINEL_MASTER: expected both, where the Sentinels are and the name of the group of servers that they watch, got one',
    )
  }
  if (sentinels && cluster) {
    problems.push('REDIS_CLUSTER, REDIS_SENTINELS: expected one of them, got both')
  }
  const database = url !== undefined && URL.canParse(url) ? new URL(url).pathname : ''
  if (!/^\/?\d{0,9}$/.test(database)) {
    problems.push('REDIS_URL: expected the number of a database as its path, if any, such as /0')
  } else if (cluster && Number(database.slice(1)) > 0) {
    problems.push('REDIS_URL: expected database 0 with REDIS_CLUSTER: a cluster has no other')
  }
  return problems
}
