import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { canCompress, compressions } from '../../src/encode/compression.ts'
import { MiB } from '../../src/runtime/units.ts'
import { describeWith } from '../support/describe-with.ts'
import { findProgram } from '../support/find-program.ts'
import { serviceEnvironment, startCli } from '../support/run-cli.ts'
import { startTestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const prlimit = findProgram('prlimit')
const missing =
  prlimit === undefined ? 'prlimit is missing (Debian: apt-get install util-linux)' : undefined

/** What is documented: read ahead and handed on by two readers, parts of the upload, members of gzip. */
const exportBytes = 2 * (8 + 2) * MiB + 3 * 8 * MiB + 5 * 2 * MiB
/** What V8 has grown by until it collects garbage. */
const garbageBytes = 64 * MiB

const range = { time_from: '2014-07-01T00:00:00Z', time_to: '2014-08-01T00:00:00Z' }
const small = 20_000
const large = 300

/** It is twice 300 MB, on a machine that has other things to do. */
const patient = { timeout: 180_000 }

/** Small ones, by which batches and segments are sized; then at once some that are three thousand times as large. */
const insert = `
  insert into context_services.services (service_id, service_type, started_at, extensions)
  select 'service-' || n, 'jump', timestamptz '2014-07-01T00:00:00Z' + n * interval '1 second',
    jsonb_build_object('padding', repeat('x', case when n <= $1 then 300 else 1048576 end))
  from generate_series(1, $1::integer + $2::integer) n`

/** Private memory that the process may write to: what `--data` limits. */
async function dataBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmData:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}

describeWith('prlimit', missing, 'a worker that may have only so much more memory', () => {
  it('exports documents that are large all of a sudden, packed or not', patient, async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    const { client, database } = system
    await database.pool.query(insert, [small, large])
    await database.pool.query('vacuum analyze context_services.services')
    const env = { ...serviceEnvironment(system), WORKER_PORT: '0', EXPORT_READERS: '2' }
    const worker = startCli(onTestFinished, ['worker'], { env })
    await until(() => worker.output().stderr.includes('worker ready'))
    const limit = (await dataBytes(worker.pid)) + exportBytes + garbageBytes
    await promisify(execFile)(prlimit!, ['--pid', String(worker.pid), `--data=${limit}`])

    const died = worker.ended.then(({ stderr }) => expect.fail(`The worker died: ${stderr}`))
    died.catch(() => undefined)
    for (const compression of compressions.filter(canCompress)) {
      const { id } = await client.request({ ...range, export_content: true, compression })
      const finished = await Promise.race([client.wait(id), died])
      expect(finished).toMatchObject({
        state: 'completed',
        attempt: 1,
        artifact: { rows: small + large },
      })
    }
  })
})
