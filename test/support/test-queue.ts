import { Redis } from 'ioredis'
import { inject } from 'vitest'
import { exportJob } from '../../jobs/export.ts'
import type { QueueConnection } from '../../src/queue/connection.ts'
import { openQueue } from '../../src/queue/open-queue.ts'
import type { TestDatabase } from './database.ts'

/** The queue of one test: in its database, or with a prefix of its own on the Redis of the run. */
export interface TestQueueBackend {
  /** That make server and worker use it. */
  readonly variables: Readonly<Record<string, string>>
  /** As `createEnqueuer` wants it. */
  readonly redis: { readonly url: string; readonly prefix: string } | undefined
  /** Of the server that holds it. */
  readonly url: string
  /** @param url of that server, such as through a proxy */
  connect(url?: string): Promise<QueueConnection>
  /** Jobs of any state, of exports unless another queue is named. */
  countJobs(name?: string): Promise<number>
  /** How many connections there are to it, those of the test itself apart. */
  countConnections(): Promise<number>
  /** Everything that it keeps, as text. */
  read(): Promise<string>
  /** Loses all jobs, schedules and locks. */
  lose(): Promise<void>
}

const quiet = { warn: () => undefined, error: () => undefined }

export function testQueue(database: TestDatabase): TestQueueBackend {
  const queue = inject('queue')
  return queue.backend === 'redis'
    ? onRedis(queue.url, new URL(database.url).pathname.slice(1))
    : inPostgres(database)
}

function onRedis(url: string, prefix: string): TestQueueBackend {
  const withClient = async <T>(work: (client: Redis) => Promise<T>) => {
    const client = new Redis(url, { connectionName: 'test' })
    try {
      return await work(client)
    } finally {
      client.disconnect()
    }
  }
  const keys = (client: Redis) => client.keys(`{${prefix}}:*`)
  return {
    url,
    redis: { url, prefix },
    variables: { REDIS_URL: url, REDIS_PREFIX: prefix },
    connect: (at = url) => {
      const redis = { url: at, prefix, cluster: false }
      return openQueue({ databaseUrl: '', redis }, { logger: quiet })
    },
    countJobs: (name = exportJob.name) =>
      withClient(async (client) => {
        const jobs = (await keys(client)).filter((key) => key.startsWith(`{${prefix}}:${name}:`))
        const types = await Promise.all(jobs.map(async (key) => [key, await client.type(key)]))
        return types.filter(([key, type]) => type === 'hash' && isJob(key ?? '')).length
      }),
    countConnections: () =>
      withClient(async (client) => {
        const list = String(await client.client('LIST'))
        return list.split('\n').filter((line) => line.includes(prefix)).length
      }),
    read: () =>
      withClient(async (client) => {
        const contents = (await keys(client)).map(async (key) => [key, await readKey(client, key)])
        return JSON.stringify(await Promise.all(contents))
      }),
    lose: () =>
      withClient(async (client) => {
        const found = await keys(client)
        if (found.length > 0) await client.del(...found)
      }),
  }
}

async function readKey(client: Redis, key: string): Promise<unknown> {
  switch (await client.type(key)) {
    case 'hash':
      return client.hgetall(key)
    case 'list':
      return client.lrange(key, 0, -1)
    case 'set':
      return client.smembers(key)
    case 'zset':
      return client.zrange(key, '0', '-1')
    case 'stream':
      return client.xrange(key, '-', '+')
    default:
      return client.get(key)
  }
}

/** Hashes of BullMQ that are no jobs have a plain name. */
const isJob = (key: string) => /:(repeat:.+:\d+|[0-9a-f-]{36}-\d+|\d+)$/.test(key)

function inPostgres({ url, pool }: TestDatabase): TestQueueBackend {
  const count = async (sql: string, values: readonly unknown[] = []) =>
    (await pool.query<{ count: number }>(sql, [...values])).rows[0]!.count
  const tables = async () => {
    const { rows } = await pool.query<{ name: string }>(
      `select tablename as name from pg_tables
       where schemaname = 'longhaul_queue' and tablename like 'job%'`,
    )
    return rows.map(({ name }) => `longhaul_queue.${name}`)
  }
  return {
    url,
    redis: undefined,
    variables: {},
    connect: (at = url) => openQueue({ databaseUrl: at, redis: undefined }, { logger: quiet }),
    countJobs: (name = exportJob.name) =>
      count(`select count(*)::int as count from longhaul_queue.job where name = $1`, [name]),
    countConnections: () =>
      count(`select count(*)::int as count from pg_stat_activity
             where datname = current_database() and application_name <> ''`),
    async read() {
      const texts = (await tables()).map(async (table) =>
        JSON.stringify((await pool.query(`select * from ${table}`)).rows),
      )
      return (await Promise.all(texts)).join('\n')
    },
    async lose() {
      const all = await tables()
      if (all.length > 0) await pool.query(`truncate ${all.join(', ')} cascade`)
    },
  }
}
