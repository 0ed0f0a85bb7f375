import { expect, it } from 'vitest'
import type { WindowRequest } from '../../src/archive/model.ts'
import { createArchiveLedger } from '../../src/postgres/archive-ledger.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createTestDatabase } from '../support/database.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { until } from '../support/until.ts'

const release = releaseAfterAll()
const calendar = { unit: 'day', timeZone: 'UTC' } as const
const start = new Date('2026-03-01T00:00:00Z')
const request: WindowRequest = {
  ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
  ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
}
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

it('plans no later generation of a window that is being deleted', async () => {
  const { pool, ledger } = await setup()
  const window = { name: '2026-03-01', date: '2026-03-01', from: start, to: now }
  const key = { archive: 'services', from: start, generation: 1 }
  await ledger.plan(key, window, request)
  await ledger.adopt(key, now)
  let planned: Promise<boolean> | undefined
  await pool.transaction(async (ask) => {
    // as the retention ledger deletes
    await ask(`select from longhaul.archives where name = 'services' for update`)
    await ask(`update longhaul.archive_windows set state = 'deleted', deleted_at = now()`)
    planned = ledger.plan({ ...key, generation: 2 }, window, request)
    await until(async () => {
      const waiting = await pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return waiting.rowCount === 1
    })
  })
  expect(await planned).toBe(false)
  expect(await ledger.get({ ...key, generation: 2 })).toBeUndefined()
})
