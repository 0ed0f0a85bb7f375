import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import {
  findPostgresToTest,
  howToInstallPostgres,
  type InstalledPostgres,
} from './test/support/installed-postgres.ts'
import { requiredTools } from './test/support/optional-tools.ts'
import { findRedis, howToInstallRedis } from './test/support/redis-program.ts'

const stack = ['test/support/radosgw-on-demand.ts', 'test/support/stack.ts']
const torture = 'test/e2e/torture.test.ts'
/** Has a queue of its own, that of the compose file. */
const image = 'test/e2e/image.test.ts'
/** What only a queue on Redis can do. */
const redisAlone = 'test/{integration,e2e}/redis/**'

const installed = await findPostgresToTest()
if (installed.length === 0) {
  if (requiredTools().includes('postgres')) {
    throw new TypeError(`LONGHAUL_TEST_REQUIRE: ${howToInstallPostgres}`)
  }
  process.stderr.write(`Not tested: the system's PostgreSQL: ${howToInstallPostgres}.\n`)
}
const hasRedis = findRedis() !== undefined
if (!hasRedis) {
  if (requiredTools().includes('redis')) {
    throw new TypeError(`LONGHAUL_TEST_REQUIRE: ${howToInstallRedis}`)
  }
  process.stderr.write(`Not tested: the queue on Redis: ${howToInstallRedis}.\n`)
}

/**
 * The system's PostgreSQL that the queue on Redis is tested beside: the end-to-end tests, which take the longest,
 * run twice and not three times. One that was named gets all tests on its own.
 */
const besideRedis = hasRedis ? installed.find(({ named }) => !named) : undefined

/** What looks at files and at commands that connect to nothing. */
const noServices = ['test/e2e/{cli-keys,cli-usage,documented-containers}.test.ts']

/** What asks the queue for archived windows, and then looks at what became of them: `archive-command`, `nightly-archive` and `archive-alarms` do so on both. */
const afterQueue =
  'test/e2e/{archive-check,archive-duckdb,archive-retention,archive-set-back,http-archives,restore-archive,standby-archive,verify}.test.ts'

/** What goes past the queue, or names one of its own. */
const besidesQueue = [
  'test/e2e/{cli-config,cli-dev,cli-download,download-resume,hostile-records}.test.ts',
  'test/e2e/{http-artifact-formats,http-bad-request,http-body,http-openapi,http-routes}.test.ts',
  'test/e2e/stream-*.test.ts',
]

/** Whatever has to do with the queue, once more, with the queue on Redis. */
const onRedis: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'redis',
    include: ['test/integration/{queue,redis}/**/*.test.ts', 'test/e2e/**/*.test.ts'],
    exclude: [torture, image, afterQueue, ...besidesQueue, ...noServices],
    globalSetup: [...stack, 'test/support/redis.ts'],
    pool: 'forks',
    provide: { postgres: besideRedis === undefined ? 'any' : { folder: besideRedis.folder } },
  },
}

/** `.ci/run` tests all statements on the oldest PostgreSQL, `services` does on the newest: one between the two is tested by the end-to-end tests on Redis. */
const allStatements = 'test/integration/{queue,services,source}/**'

/** What makes no connection to the stack's database, or has one of its own by the command line. */
const noPostgres = [
  'test/integration/{client,embedded-s3,http,s3,webhook}/**',
  'test/integration/fault-proxy.test.ts',
  'test/integration/embedded/stack*.test.ts',
  'test/e2e/cli-dev.test.ts',
  ...noServices,
]

/** Whatever talks to PostgreSQL, once more, on another than the one that comes with `npm ci`. */
const onPostgres = (postgres: InstalledPostgres): TestProjectInlineConfiguration => ({
  extends: true,
  test: {
    name: `postgres-${postgres.major}`,
    include: [
      'test/contract/{export-records,archive-ledger,archive-ledger-writes,retention-ledger,alarm-memory}.test.ts',
      'test/integration/**/*.test.ts',
      postgres === besideRedis ? 'test/e2e/main-job.test.ts' : 'test/e2e/**/*.test.ts',
    ],
    exclude: [
      ...[torture, image, redisAlone, ...noPostgres],
      ...(postgres === besideRedis ? [allStatements] : []),
    ],
    globalSetup: stack,
    pool: 'forks',
    provide: { queue: { backend: 'postgres' }, postgres: { folder: postgres.folder } },
  },
})

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
      ...(hasRedis ? [onRedis] : []),
      ...installed.map(onPostgres),
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
