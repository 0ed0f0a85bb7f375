import { RedisConnection } from 'bullmq'
import { Cluster, type Redis } from 'ioredis'
import type { RedisInspection, RedisNode } from '../doctor/ports.ts'
import { untilAborted } from '../runtime/abort.ts'
import { askRedis, infoField, readInfo, unlessForbidden } from './probe-redis.ts'
import { describeRedis, type RedisClient, type RedisSettings } from './redis-client.ts'

/** What a Redis or Valkey is asked. */
export const inspectRedis = (settings: RedisSettings): RedisInspection => ({
  place: describeRedis(settings),
  cluster: settings.cluster,
  minimumVersion: RedisConnection.minimumVersion,
  recommendedVersion: RedisConnection.recommendedMinimumVersion,
  nodes: ({ signal }) =>
    askRedis(settings, (client) =>
      untilAborted(Promise.all(nodesOf(client).map(inspectNode)), signal),
    ),
})

const nodesOf = (client: RedisClient): readonly Redis[] =>
  client instanceof Cluster ? client.nodes('all') : [client]

async function inspectNode(node: Redis): Promise<RedisNode> {
  const info = await readInfo(node)
  const field = (name: string) => (info === undefined ? undefined : infoField(info, name))
  const is = (name: string, value: string) => {
    const found = field(name)
    return found === undefined ? undefined : found === value
  }
  const valkey = field('valkey_version')
  const { host = '', port = 0 } = node.options
  return {
    place: `${host}:${port}`,
    product: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? field('redis_version'),
    compatibleVersion: field('redis_version'),
    policy: field('maxmemory_policy'),
    clustered: is('redis_mode', 'cluster'),
    replica: is('role', 'slave'),
    persistent: is('aof_enabled', '1') === true || (await savesSnapshots(node)),
  }
}

/** Undefined where it does not tell. */
async function savesSnapshots(node: Redis): Promise<boolean | undefined> {
  const answer = (await unlessForbidden(node.config('GET', 'save'))) as unknown
  return Array.isArray(answer) && typeof answer[1] === 'string' ? answer[1] !== '' : undefined
}
