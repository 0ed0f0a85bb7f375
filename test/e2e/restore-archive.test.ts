import { execFile } from 'node:child_process'
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import { findProgram } from '../support/find-program.ts'
import { missingPsql } from '../support/psql.ts'
import { createFolder, serviceEnvironment, startCli } from '../support/run-cli.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const readme = new URL('../../README.md', import.meta.url)
const aws = findProgram('aws')

/** The shell block of the README that restores a day. */
async function restoreScript(day: string): Promise<string> {
  const blocks = [...(await readFile(readme, 'utf8')).matchAll(/^```sh\n(.*?)^```$/gms)]
  const found = blocks.map(([, block = '']) => block).filter((block) => block.includes('\\copy'))
  expect(found).toHaveLength(1)
  return found[0]!.replace(/^DAY=.*$/m, `DAY=${day}`)
}

describeWith('psql', missingPsql, 'an archived day', () => {
  const missing = aws === undefined ? 'there is no aws' : undefined
  describeWith('aws', missing, 'by the commands of the README', () => {
    it('comes back into a table', { timeout: 120_000 }, async () => {
      const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
      const system = await startTestSystem(onTestFinished, {
        worker: false,
      })
      const env = {
        ...serviceEnvironment(system),
        WORKER_PORT: '0',
        ARCHIVE_SCHEDULE: '* * * * * *',
        ARCHIVE_KEEP: 'for ever',
        ARCHIVE_START: yesterday,
        ARCHIVE_SETTLE_MINUTES: '0',
      }
      const { pool } = system.database
      const awkward = { 'quo"te': 'back\\slash\nline\ttab \u2028', n: 1.5, none: [null] }
      await pool.query(
        `insert into context_services.services (service_id, service_type, started_at, completed_at, started)
         select 'service-' || n, '100', $1, $1, $2 from generate_series(1, 2000) n`,
        [`${yesterday}T23:59:59Z`, awkward],
      )
      startCli(onTestFinished, ['worker'], { env })
      await until(async () => (await system.bucket.keys()).some((key) => /_manifests/.test(key)))

      const bin = await createFolder(onTestFinished)
      const wrapper = `#!/bin/sh\nexec ${aws ?? 'aws'} --endpoint-url "$S3_ENDPOINT" "$@"\n`
      await writeFile(join(bin, 'aws'), wrapper)
      await chmod(join(bin, 'aws'), 0o755)
      const cwd = await createFolder(onTestFinished)
      // what the README says of values with spaces
      const lines = Object.entries(env).map(([name, value]) => `${name}='${value}'\n`)
      await writeFile(join(cwd, '.env'), lines.join(''))
      const path = `${bin}:${process.env['PATH'] ?? ''}`
      await promisify(execFile)('sh', ['-euc', await restoreScript(yesterday)], {
        cwd,
        env: { PATH: path, HOME: process.env['HOME'] },
      })
      expect(await readdir(join(cwd, 'restore'))).toEqual([yesterday])
      const { rows } = await pool.query<{ count: number; same: boolean }>(
        `select count(distinct service->>'service_id')::integer as count,
           bool_and(service -> 'started' @> $1) as same from restored`,
        [awkward],
      )
      expect(rows).toEqual([{ count: 2000, same: true }])
    })
  })
})
