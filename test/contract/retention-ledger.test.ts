import { randomUUID } from 'node:crypto'
import { createArchiveLedger } from '../../src/postgres/archive-ledger.ts'
import { createExportRecords } from '../../src/postgres/export-records.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createRetentionLedger } from '../../src/postgres/retention-ledger.ts'
import { createTestDatabase } from '../support/database.ts'
import { createMemoryArchiveLedger } from '../support/memory-archive-ledger.ts'
import { newExport } from '../support/new-export.ts'
import { describeRetentionLedger } from './retention-ledger-contract.ts'

describeRetentionLedger('a retention ledger in memory', () => {
  const ledger = createMemoryArchiveLedger()
  const createExport = () => Promise.resolve(randomUUID())
  return Promise.resolve({ ledger, retention: ledger, createExport })
})

describeRetentionLedger('a retention ledger in PostgreSQL', async (release) => {
  const { url } = await createTestDatabase(release, { reference: false })
  const pool = createPool(url, { role: 'control database' })
  release(() => pool.close())
  const records = createExportRecords(pool)
  return {
    ledger: createArchiveLedger(pool),
    retention: createRetentionLedger(pool),
    createExport: async () => (await records.create(newExport())).record.id,
  }
})
