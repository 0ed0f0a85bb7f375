import { expect, it, onTestFinished } from 'vitest'
import { SourceError } from '../../src/errors.ts'
import { createBaseApp } from '../../src/http/base-app.ts'
import { archiveRoutes } from '../../src/http/routes/archives.ts'
import { sharedSchemas } from '../../src/http/schemas.ts'
import { createLogger } from '../../src/logger.ts'
import { createRetentionWorld } from '../support/retention-world.ts'

/** The routes of an archive of two days, over a ledger whose counts are counted, or fail. */
async function setup() {
  const { deps, ledger } = await createRetentionWorld(2)
  const looks = { count: 0, fails: false }
  const app = createBaseApp({
    ...{ logger: createLogger({ level: 'silent' }), apiKeys: [], missHint: '' },
  })
  onTestFinished(() => app.close())
  for (const schema of sharedSchemas) app.addSchema(schema)
  archiveRoutes(app, {
    ...{ ...deps, linkTtlSeconds: 3600 },
    artifacts: { ...deps.artifacts, link: () => Promise.reject(new Error('no link')) },
    ledger: {
      ...ledger,
      summarize(name, query) {
        looks.count++
        const away = new SourceError('SOURCE_UNAVAILABLE', 'The database is away.')
        return looks.fails ? Promise.reject(away) : ledger.summarize(name, query)
      },
    },
  })
  return { looks, get: async () => (await app.inject('/archives')).statusCode }
}

it('counts once for all who list archives at the same time', async () => {
  const { get, looks } = await setup()
  const statuses = await Promise.all(Array.from({ length: 50 }, get))
  expect([new Set(statuses), looks.count]).toEqual([new Set([200]), 1])
})

it('counts anew at once where it could not', async () => {
  const { get, looks } = await setup()
  looks.fails = true
  expect([await get(), looks.count]).toEqual([503, 1])
  looks.fails = false
  expect([await get(), looks.count]).toEqual([200, 2])
})
