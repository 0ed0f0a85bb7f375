import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { requiredTools } from './test/support/optional-tools.ts'
import { findRedis, howToInstallRedis } from './test/support/redis-program.ts'

const stack = ['test/support/radosgw-on-demand.ts', 'test/support/stack.ts']
const torture = 'test/e2e/torture.test.ts'
/** Has a queue of its own, that of the compose file. */
const image = 'test/e2e/image.test.ts'

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

/**
 * Unit tests need nothing; torture has a system of its own; all others share one embedded stack for each
 * kind of queue, and keep to a database, bucket and queue of their own.
 */
export default defineConfig({
  test: {
    // vitest would leave one core of two idle
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
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
          exclude: [torture, 'test/{integration,e2e}/redis/**'],
          globalSetup: stack,
          pool: 'forks',
          provide: { queue: { backend: 'postgres' } },
        },
      },
      ...projectsOnRedis(),
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
