import { createExportRecords } from '../../src/postgres/export-records.ts'
import { createPool } from '../../src/postgres/pool.ts'
import { createTestDatabase } from '../support/database.ts'
import { createMemoryExportRecords } from '../support/memory-export-records.ts'
import { describeExportRecords } from './export-records-contract.ts'

describeExportRecords('export records in memory', () => createMemoryExportRecords())

describeExportRecords('export records in PostgreSQL', async (release) => {
  const { url } = await createTestDatabase(release, { reference: false })
  const pool = createPool(url, { role: 'control database' })
  release(() => pool.close())
  return createExportRecords(pool)
})
