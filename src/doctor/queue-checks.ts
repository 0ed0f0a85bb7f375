import { controlPart } from './control-checks.ts'
import { ok, problem, skipped, warning, type Verdict } from './finding.ts'
import type { ControlInspection, QueueProbe, RedisInspection, RedisNode } from './ports.ts'
import type { Check } from './run-checks.ts'

const part = 'queue'

/** The queue in the control database. */
export const postgresQueueChecks = (
  control: Pick<ControlInspection, 'queueSchema'>,
  queue: QueueProbe,
): readonly Check[] => [
  {
    ...{ part, name: 'schema', needs: [`${controlPart}.connection`] },
    async look(asking) {
      const { exists, mayCreate } = await control.queueSchema(asking)
      if (exists) {
        await queue.ask(asking)
        return ok('in the control database, and answers')
      }
      return mayCreate
        ? ok('in the control database; the first server or worker makes its tables')
        : problem(
            'its tables are not there, and this user may not make a schema for them',
            'Grant create on the database to the user of DATABASE_URL, at least until a server has started.',
          )
    },
  },
]

/** The queue on Redis or Valkey. */
export function redisChecks(redis: RedisInspection): readonly Check[] {
  let known: readonly RedisNode[] = []
  const ofEach = (name: string, judge: (node: RedisNode) => Verdict): Check => ({
    ...{ part, name, needs: ['connection'] },
    look: () => known.map(judge),
  })
  return [
    {
      ...{ part, name: 'connection' },
      async look(asking) {
        known = await redis.nodes(asking)
        return ok(`${redis.place} lets us in${known.length > 1 ? `: ${known.length} servers` : ''}`)
      },
    },
    ofEach('server', (node) => judgeRedisVersion(node, redis)),
    ofEach('role', (node) => judgeRedisRole(node, redis)),
    ofEach('memory policy', judgePolicy),
    ofEach('persistence', judgePersistence),
  ]
}

/** Pure. */
export function judgeRedisVersion(
  { place, product, version, compatibleVersion }: RedisNode,
  versions: Pick<RedisInspection, 'minimumVersion' | 'recommendedVersion'>,
): Verdict {
  if (version === undefined) return skipped(`${place} does not tell its version`)
  const found = `${place} is ${product} ${version}`
  const { minimumVersion, recommendedVersion } = versions
  if (isOlder(compatibleVersion ?? version, minimumVersion)) {
    return problem(
      `${found}, which is too old`,
      `Use Redis ${recommendedVersion} or newer, or Valkey.`,
    )
  }
  return isOlder(compatibleVersion ?? version, recommendedVersion)
    ? warning(`${found}, which is old`, `Use Redis ${recommendedVersion} or newer, or Valkey.`)
    : ok(found)
}

const isOlder = (version: string, than: string): boolean =>
  version.localeCompare(than, 'en', { numeric: true }) < 0

/** Pure. */
export function judgeRedisRole(
  { place, clustered, replica }: RedisNode,
  { cluster }: Pick<RedisInspection, 'cluster'>,
): Verdict {
  if (clustered === undefined) return skipped(`${place} does not tell its role`)
  if (clustered && !cluster) {
    return problem(`${place} is one server of a cluster`, 'Set REDIS_CLUSTER=true.')
  }
  if (replica === true && !cluster) {
    return problem(
      `${place} is a replica: nothing can be written`,
      'Let REDIS_URL lead to the master, or name the Sentinels in REDIS_SENTINELS.',
    )
  }
  const role = replica === true ? 'replica' : 'master'
  return ok(`${place} is a ${role}${clustered ? ' of the cluster' : ''}`)
}

/** Pure. */
export function judgePolicy({ place, policy }: RedisNode): Verdict {
  if (policy === undefined) {
    return warning(
      `${place} does not tell whether it evicts keys`,
      'Make sure that its maxmemory-policy is noeviction, or jobs may vanish.',
    )
  }
  return policy === 'noeviction'
    ? ok(`${place} evicts nothing`)
    : problem(
        `${place} has the maxmemory-policy ${policy}: when its memory is full it would delete jobs and locks`,
        'Set it with: CONFIG SET maxmemory-policy noeviction',
      )
}

/** No reason to worry: each record says what is still to be done. Pure. */
export function judgePersistence({ place, persistent }: RedisNode): Verdict {
  if (persistent === undefined) return skipped(`${place} does not tell whether it writes to disk`)
  return ok(
    persistent
      ? `${place} writes to disk`
      : `${place} keeps nothing on disk: after a restart jobs are enqueued again from the records, within ten seconds`,
  )
}
