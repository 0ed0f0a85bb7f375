import { beforeAll, expect, it } from 'vitest'
import { connect } from '../../src/postgres/pool.ts'
import { seedServices } from '../../src/postgres/seed/seed-services.ts'
import { artifactSql } from '../support/artifact-sql.ts'
import { sha256 } from '../support/chunks.ts'
import { fixtureSelections, insertFixtureServices } from '../support/fixture-services.ts'
import { describeWith } from '../support/describe-with.ts'
import { missingPsql, psql } from '../support/psql.ts'
import { readStream } from '../support/read-stream.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

/** Cuts through the seeded services: some started before it, some are completed after it. */
const range = { from: '2014-07-22T12:00:00.000Z', to: '2014-07-24T03:04:05.678Z' }

const cases = fixtureSelections.flatMap(([events, state]) =>
  (state === 'any' ? [true, false] : [true]).map((content) => [events, state, content] as const),
)

const title = 'stream, artifact, and one query of psql are the same bytes'
describeWith('psql', missingPsql, title, () => {
  let system: TestSystem

  const release = releaseAfterAll()
  beforeAll(async () => {
    system = await startTestSystem(release)
    const client = await connect(system.database.url, 'source database')
    await seedServices(client, { services: 20_000, seed: 3, signal: new AbortController().signal })
    await client.end()
    await insertFixtureServices(system.database.pool)
  })

  it.each(cases)('events %s, state %s, content %s', async (events, state, content) => {
    const body = {
      time_from: range.from,
      time_to: range.to,
      filter_events: events,
      filter_state: state,
      export_content: content,
    }
    const { id } = await system.client.request(body)
    const [streamed, compressed, view, expected] = await Promise.all([
      readStream(system.url, body),
      readStream(system.url, body, { 'accept-encoding': 'gzip' }),
      system.client.wait(id),
      psql(system.database.url, artifactSql({ ...range, events, state, content })),
    ])
    const artifact = Buffer.from(await (await fetch(view.artifact!.url)).arrayBuffer())

    expect(sha256(streamed.body)).toBe(sha256(expected))
    expect(sha256(artifact)).toBe(sha256(expected))
    expect(sha256(compressed.body)).toBe(sha256(expected))
    expect(view.artifact!.sha256).toBe(sha256(expected))
    // the comparison is worth something
    const rows = (JSON.parse(expected) as unknown[]).length
    expect(view.artifact!.rows).toBe(rows)
    if (events === 'completed' && state === 'active') expect(expected).toBe('[]')
    else expect(rows).toBeGreaterThan(50)
  })
})
