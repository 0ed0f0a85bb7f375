import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { createFaultProxy } from '../../support/fault-proxy.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { roomySource } from '../../support/roomy-source.ts'
import { readBlocks } from '../../support/row-blocks.ts'
import { anyQuery, sourceSessions } from '../../support/source-session.ts'
import { until } from '../../support/until.ts'

let database: TestDatabase
const release = releaseAfterAll()
beforeAll(async () => {
  database = await createTestDatabase(release, { reference: false })
})

it('a stream that is left at any byte of an answer asks for no batch that nobody wants', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error) => void warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const proxy = await createFaultProxy(database.url, onTestFinished)
  const source = roomySource(proxy.url)
  // from within the answer to the first message on
  for (let bytes = 1; bytes <= 46; bytes += 5) {
    const leaving = new AbortController()
    const snapshot = await source.open({ signal: leaving.signal })
    proxy.strike({ then: 'stall', afterBytes: bytes })
    const rows = readBlocks(snapshot, [anyQuery(`select n::text from generate_series(1, 1000) n`)])
    const reading = rows[Symbol.asyncIterator]().next()
    const outcome = reading.catch((error: unknown) => error)
    const working = async () => (await sourceSessions(database)).some(({ settled }) => settled)
    await until(working)
    leaving.abort(new Error('left'))
    expect(await outcome).toEqual(new Error('left'))
    proxy.heal()
    await snapshot.close()
    await until(async () => (await sourceSessions(database)).length === 0)
  }
  expect(warnings).toEqual([])
})
