import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runTool } from '../../../src/embedded/run-tool.ts'
import { startStack } from '../../../src/embedded/stack.ts'
import { query, setupFolder, setupStack } from './setup-folder.ts'

const installed = await runTool(
  '/bin/sh',
  // Debian's folder is also there where only a client is installed
  ['-c', 'command -v initdb || ls /usr/lib/postgresql/*/bin/initdb'],
  {
    inheritEnvironment: true,
  },
)

describe.runIf(installed.code === 0)('a PostgreSQL of the system', { timeout: 60_000 }, () => {
  test('does where there is no package', async () => {
    const { values, postgresVersion } = await setupStack(await setupFolder(), {
      binaries: 'system',
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
    await (await setupStack(dataDir, { binaries: 'system' })).stop()
    await writeFile(join(dataDir, 'postgres/data/PG_VERSION'), '9\n')

    const start = startStack({ dataDir, durable: false, binaries: 'system' })

    await expect(start).rejects.toThrow('was made by PostgreSQL 9')
  })
})
