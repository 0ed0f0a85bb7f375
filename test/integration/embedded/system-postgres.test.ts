import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, inject, test } from 'vitest'
import { startStack } from '../../../src/embedded/stack.ts'
import { findSystemPostgres } from '../../support/installed-postgres.ts'
import { query, setupFolder, setupStack } from './setup-folder.ts'

/** That which this project of vitest is for, or else what is found. */
const provided = inject('postgres')
const binaries = provided === 'any' ? 'system' : provided
const installed = provided !== 'any' || (await findSystemPostgres()).length > 0

describe.runIf(installed)('a PostgreSQL of the system', { timeout: 60_000 }, () => {
  test('does where there is no package', async () => {
    const { values, postgresVersion } = await setupStack(await setupFolder(), {
      binaries,
    })

    const [facts] = await query<{ version: string; sorted: string }>(
      values.DATABASE_URL,
      `select current_setting('server_version') as version,
         (select string_agg(letter, '' order by letter) from unnest(array['b', 'ä', 'A', 'a']) letter) as sorted`,
    )

    expect(facts!.version).toContain(postgresVersion)
    expect(facts!.sorted).toBe('Aabä')
  })

  test('is not put on data that another major version made', async () => {
    const dataDir = await setupFolder({ open: true })
    await (await setupStack(dataDir, { binaries })).stop()
    await writeFile(join(dataDir, 'postgres/data/PG_VERSION'), '9\n')

    const start = startStack({ dataDir, durable: false, binaries })

    await expect(start).rejects.toThrow('was made by PostgreSQL 9')
  })
})
