import { expect, it } from 'vitest'
import { createArchiveLedger } from '../../src/postgres/archive-ledger.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createTestDatabase } from '../support/database.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'

const release = releaseAfterAll()
const calendar = { unit: 'day', timeZone: 'UTC' } as const
const start = new Date('2026-03-01T00:00:00Z')
const now = new Date('2026-04-01T12:00:00Z')

async function setup() {
  const { url } = await createTestDatabase(release, { reference: false })
  const pool = createPool(url, { role: 'control database' })
  release(() => pool.close())
  const ledger = createArchiveLedger(pool)
  const schedule = { name: 'services', calendar, start, settleMs: 0 }
  await ledger.open(schedule, now)
  return { pool, ledger, schedule }
}

it('writes nothing, and locks nothing, where an archive is opened as it is', async () => {
  const { pool, ledger, schedule } = await setup()
  const look = async () =>
    (await pool.query('select xmin::text, xmax::text, ctid::text from longhaul.archives')).rows
  const before = await look()
  await ledger.open(schedule, now)
  await ledger.enter({ ...schedule, settleMs: 1 }, now)
  expect(await look()).toEqual(before)
  await ledger.open({ ...schedule, settleMs: 1 }, now)
  expect(await look()).not.toEqual(before)
})
