import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, it, onTestFinished } from 'vitest'
import { connect } from '../../src/postgres/pool.ts'
import { seedServices } from '../../src/postgres/seed/seed-services.ts'
import { keysWith, readObject } from '../support/read-archive.ts'
import { createFolder, runCli, serviceEnvironment, startCli } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const span = { from: new Date('2025-03-01T00:00:00Z'), to: new Date('2025-03-11T00:00:00Z') }

async function seed({ database }: TestSystem): Promise<void> {
  const client = await connect(database.url, 'source database')
  await seedServices(client, { services: 20_000, seed: 1, ...span })
  await client.end()
}

/** What was completed on each day, and how much of it there is, as the source has it. */
async function countInSource({ database }: TestSystem) {
  const { rows } = await database.pool.query<{ dt: string; services: number; states: number }>(
    `select completed_at::date::text as dt, count(*)::integer as services,
       sum((select count(*) from context_services.states t where t.service_id = s.service_id))::integer as states
     from context_services.services s where completed_at >= $1 and completed_at < $2
     group by 1 order by 1`,
    [span.from, span.to],
  )
  return rows
}

/** The same, as a reader has it that knows nothing of Longhaul. */
async function countByDuckDb(system: TestSystem, folder: string) {
  for (const key of await keysWith(system, '/dt=')) {
    await mkdir(join(folder, dirname(key)), { recursive: true })
    await writeFile(join(folder, key), await readObject(system, key))
  }
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const reader = await connection.runAndReadAll(
      `select dt::varchar as dt, count(distinct json->>'service_id')::integer as services,
         sum(coalesce(json_array_length(json->'active_states'), 0)
           + coalesce(json_array_length(json->'completed_states'), 0))::integer as states,
         count(*)::integer as lines
       from read_ndjson_objects('${folder}/archive/services/dt=*/*', hive_partitioning = true)
       group by all order by dt`,
    )
    return reader.getRowObjectsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

it(
  'DuckDB reads from the archive what the source has of each day, also after workers were killed in mid-window, and after a repair',
  { timeout: 180_000 },
  async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    await seed(system)
    const env = { ...serviceEnvironment(system), LEASE_SECONDS: '5', WORKER_PORT: '0' }
    const filling = startCli(
      onTestFinished,
      ['archive', '--from', '2025-03-01', '--to', '2025-03-10'],
      { env },
    )
    for (let killed = 0; killed < 2; killed++) {
      const worker = startCli(onTestFinished, ['worker'], { env })
      await until(() => worker.output().stderr.includes('"state":"completed"'))
      await until(() => worker.output().stderr.split('job started').length > 3)
      worker.kill()
      await worker.ended
    }
    startCli(onTestFinished, ['worker'], { env })
    expect((await filling.ended).code).toBe(0)

    const args = ['verify', '--archive', 'services', '--against-source']
    const verified = await runCli(args, { env })
    expect([verified.code, verified.stdout]).toEqual([
      0,
      'services: 10 windows: 10 as they were archived, 0 differ\n',
    ])
    const expected = await countInSource(system)
    expect(expected).toHaveLength(10)
    const found = await countByDuckDb(system, await createFolder(onTestFinished))
    expect(found).toEqual(expected.map((day) => ({ ...day, lines: day.services })))

    // a repair: some come late, dated back to the second and the fifth day
    await system.database.pool.query(
      `insert into context_services.services (service_id, service_type, started_at, completed_at)
       select 'late-' || n, '100', '2025-03-01', timestamptz '2025-03-02T12:00:00Z' + (n % 2) * interval '3 days'
       from generate_series(1, 40) n`,
    )
    const check = ['archive', 'check', '--from', '2025-03-01', '--to', '2025-03-10', '--repair']
    const repaired = await runCli(check, { env })
    expect([repaired.code, repaired.stdout]).toEqual([
      0,
      'services: 10 windows: 8 as the source has them, 2 archived anew, 0 differ\n',
    ])
    expect((await runCli(args, { env })).code).toBe(0)
    const withLate = await countInSource(system)
    expect(withLate).not.toEqual(expected)
    const foundAgain = await countByDuckDb(system, await createFolder(onTestFinished))
    expect(foundAgain).toEqual(withLate.map((day) => ({ ...day, lines: day.services })))
  },
)
