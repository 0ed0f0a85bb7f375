import { defineConfig } from 'vitest/config'

/**
 * Unit tests need nothing; torture has a system of its own; all others share one embedded stack, and keep to a
 * database and bucket of their own.
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
          exclude: ['test/e2e/torture.test.ts'],
          globalSetup: ['test/support/radosgw-on-demand.ts', 'test/support/stack.ts'],
          pool: 'forks',
        },
      },
      {
        extends: true,
        test: {
          name: 'torture',
          include: ['test/e2e/torture.test.ts'],
          // after all others, which it would rob of the time that they count on
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
