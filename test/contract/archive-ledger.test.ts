import { randomUUID } from 'node:crypto'
import { createArchiveLedger } from '../../src/postgres/archive-ledger.ts'
import { createExportRecords } from '../../src/postgres/export-records.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createTestDatabase } from '../support/database.ts'
import { createMemoryArchiveLedger } from '../support/memory-archive-ledger.ts'
import { newExport } from '../support/new-export.ts'
import { describeArchiveLedger } from './archive-ledger-contract.ts'

describeArchiveLedger('an archive ledger in memory', () =>
  Promise.resolve({
    ledger: createMemoryArchiveLedger(),
    createExport: () => Promise.resolve(randomUUID()),
  }),
)

describeArchiveLedger('an archive ledger in PostgreSQL', async (release) => {
  const { url } = await createTestDatabase(release, { reference: false })
  const pool = createPool(url, { role: 'control database' })
  release(() => pool.close())
  const records = createExportRecords(pool)
  return {
    ledger: createArchiveLedger(pool),
    createExport: async () => (await records.create(newExport())).record.id,
  }
})
