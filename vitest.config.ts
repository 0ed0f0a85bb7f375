import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { findPostgresToTest, howToInstallPostgres } from './test/support/installed-postgres.ts'
import { requiredTools } from './test/support/optional-tools.ts'
import { findRedis, howToInstallRedis } from './test/support/redis-program.ts'

const stack = ['test/support/radosgw-on-demand.ts', 'test/support/stack.ts']
const torture = 'test/e2e/torture.test.ts'
/** Has a queue of its own, that of the compose file. */
const image = 'test/e2e/image.test.ts'
/** What only a queue on Redis can do. */
const redisAlone = 'test/{integration,e2e}/redis/**'

/** Whatever has to do with the queue, once more, with the queue on Redis. */
const onRedis: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'redis',
    include: ['test/integration/{queue,redis}/**/*.test.ts', 'test/e2e/**/*.test.ts'],
    exclude: [torture, image],
    globalSetup: [...stack, 'test/support/redis.ts'],
    pool: 'forks',
  },
}

function projectsOnRedis(): readonly TestProjectInlineConfiguration[] {
  if (findRedis() !== undefined) return [onRedis]
  if (requiredTools().includes('redis')) {
    throw new TypeError(`LONGHAUL_TEST_REQUIRE: ${howToInstallRedis}`)
  }
  process.stderr.write(`Not tested: the queue on Redis: ${howToInstallRedis}.\n`)
  return []
}

/** What makes no connection to the stack's database, or has one of its own by the command line. */
const noPostgres = [
  'test/integration/{client,embedded-s3,http,s3}/**',
  'test/integration/fault-proxy.test.ts',
  'test/integration/embedded/stack*.test.ts',
  'test/e2e/{cli-dev,cli-keys,cli-usage,documented-containers}.test.ts',
]

/**
 * Whatever talks to PostgreSQL, once more, on the one that the system has: on each major version, should
 * it have several.
 */
async function projectsOnPostgres(): Promise<readonly TestProjectInlineConfiguration[]> {
  const installed = await findPostgresToTest()
  if (installed.length === 0) {
    if (requiredTools().includes('postgres')) {
      throw new TypeError(`LONGHAUL_TEST_REQUIRE: ${howToInstallPostgres}`)
    }
    process.stderr.write(`Not tested: the system's PostgreSQL: ${howToInstallPostgres}.\n`)
  }
  return installed.map(({ major, folder }) => ({
    extends: true,
    test: {
      name: `postgres-${major}`,
      include: ['test/contract/export-records.test.ts', 'test/{integration,e2e}/**/*.test.ts'],
      exclude: [torture, image, redisAlone, ...noPostgres],
      globalSetup: stack,
      pool: 'forks',
      provide: { queue: { backend: 'postgres' }, postgres: { folder } },
    },
  }))
}

/**
 * Unit tests need nothing; torture has a system of its own; all others share one embedded stack for each
 * kind of queue and PostgreSQL, and keep to a database, bucket and queue of their own.
 */
export default defineConfig({
  test: {
    // vitest would leave one core of two idle
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    provide: { postgres: 'any' },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          testTimeout: 5_000,
          // nothing here changes a module's state: one process is enough, and three times as fast
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/{contract,integration,e2e}/**/*.test.ts'],
          exclude: [torture, redisAlone],
          globalSetup: stack,
          pool: 'forks',
          provide: { queue: { backend: 'postgres' } },
        },
      },
      ...projectsOnRedis(),
      ...(await projectsOnPostgres()),
      {
        extends: true,
        test: {
          name: 'torture',
          include: [torture],
          // after all others, which it would rob of the time that they count on
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
