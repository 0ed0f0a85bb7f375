import { defineConfig } from 'vitest/config'

/** Unit tests need nothing; all others share one embedded stack, and keep to a database and bucket of their own. */
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
          globalSetup: ['test/support/radosgw-on-demand.ts', 'test/support/stack.ts'],
          pool: 'forks',
        },
      },
    ],
  },
})
