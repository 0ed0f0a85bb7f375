import { beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { startServer, type Server, type Service } from '../../src/compose.ts'
import { startExportWorker } from '../../src/compose-worker.ts'
import { parseConfig, type Config } from '../../src/config.ts'
import { createLogger } from '../../src/logger.ts'
import type { TestBucket } from '../support/bucket.ts'
import type { TestDatabase } from '../support/database.ts'
import { createDice } from '../support/dice.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { createServiceSetup } from '../support/service-setup.ts'
import { until } from '../support/until.ts'

describe('servers and workers that start and stop at random', () => {
  let database: TestDatabase
  let bucket: TestBucket
  let config: Config
  const logLines: string[] = []
  const write = (line: string) => void logLines.push(line)
  const logger = createLogger({ level: 'info' }, { write })

  const release = releaseAfterAll()
  beforeAll(async () => {
    const setup = await createServiceSetup(release, { SHUTDOWN_GRACE_SECONDS: '0' })
    ;({ database, bucket } = setup)
    await insertFixtureServices(database.pool)
    config = parseConfig(setup.env)
  })

  const connections = async () => {
    const { rows } = await database.pool.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where datname = current_database() and application_name like 'longhaul%'`,
    )
    return rows[0]!.count
  }

  it.each([1, 2, 3, 4])(
    'lose no export and leave no connection open (seed %i)',
    async (seed) => {
      const dice = createDice(seed)
      const open: Service[] = []
      const stopping: Promise<unknown>[] = []
      const requested: string[] = []
      const stopOne = () => {
        const [service] = open.splice(dice.between(0, open.length - 1), 1)
        // sometimes told twice, sometimes not waited for
        const told = Promise.all(Array.from({ length: dice.between(1, 2) }, () => service!.stop()))
        stopping.push(told)
        return dice.percent(50) ? told : undefined
      }
      const request = async (server: Server) => {
        const { id } = await createClient({ url: server.url }).request({ ...fixtureRange })
        requested.push(id)
      }
      for (let step = 0; step < 80; step++) {
        if (open.length > 3 || (open.length > 0 && dice.percent(33))) await stopOne()
        else if (dice.percent(50)) open.push(await startExportWorker(config, logger))
        else {
          const server = await startServer(config, logger)
          open.push(server)
          await request(server)
        }
      }
      while (open.length > 0) void stopOne()
      await Promise.all(stopping)
      await until(async () => (await connections()) === 0, { what: 'connections to be closed' })

      const server = await startServer(config, logger)
      await request(server)
      const worker = await startExportWorker(config, logger)
      const client = createClient({ url: server.url })
      for (const id of requested) {
        expect(await client.wait(id)).toMatchObject({ state: 'completed', artifact: { rows: 5 } })
      }
      await Promise.all([worker.stop(), server.stop()])
      expect(await bucket.openUploads()).toEqual([])
      expect(logLines.filter((line) => line.includes('"level":"error"'))).toEqual([])
    },
    180_000,
  )
})
