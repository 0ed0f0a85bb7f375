import { describe, expect, it, onTestFinished } from 'vitest'
import type { ExportView } from '../../src/http/schemas.ts'
import { sha256 } from '../support/chunks.ts'
import { serviceEnvironment, startCli, type RunningCli } from '../support/run-cli.ts'
import { makeSourceQuick, makeSourceSlow } from '../support/slow-source.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const range = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T18:00:00Z' }
/** Of several parts; the last of them makes the export wait. */
const slow = { quick: 1500, bytes: 20_000 }

interface Setup extends TestSystem {
  readonly id: string
  /** A worker that is a process of its own. */
  startWorker(): RunningCli
  readonly look: () => Promise<ExportView>
}

/** An export that nobody runs yet, on a source whose last row does not come. */
async function setup(environment: Readonly<Record<string, string>> = {}): Promise<Setup> {
  const system = await startTestSystem(onTestFinished, { worker: false })
  await makeSourceSlow(system.database, slow)
  const env = {
    ...serviceEnvironment(system),
    LEASE_SECONDS: '5',
    SHUTDOWN_GRACE_SECONDS: '0',
    ...environment,
  }
  const { id } = await system.client.request({ ...range, export_content: true })
  return {
    ...system,
    id,
    startWorker: () => startCli(onTestFinished, ['worker'], { env }),
    look: () => system.client.status(id),
  }
}

const running = ({ look }: Setup) =>
  until(async () => {
    const view = await look()
    return view.state === 'running' && view
  })

/** Whether the query waits for the last row. */
const sleeps = async ({ database }: Setup): Promise<boolean> => {
  const { rowCount } = await database.pool.query(
    `select from pg_stat_activity
     where datname = current_database() and application_name = 'longhaul' and wait_event = 'PgSleep'`,
  )
  return rowCount === 1
}

/** The export completes in its next attempt, and nothing is left of the one that was lost. */
async function expectTakenOver(
  { id, client, bucket }: Setup,
  outcome = 'lost',
): Promise<ExportView> {
  const view = await client.wait(id)
  expect(view).toMatchObject({
    state: 'completed',
    attempt: 2,
    attempts: [
      { attempt: 1, outcome },
      { attempt: 2, outcome: 'completed' },
    ],
    artifact: { rows: slow.quick + 1, key: expect.stringContaining(`/${id}/2/`) as string },
  })
  expect(await bucket.keys()).toEqual([view.artifact!.key])
  expect(await bucket.openUploads()).toEqual([])
  const body = await (await fetch(view.artifact!.url)).text()
  expect(sha256(body)).toBe(view.artifact!.sha256)
  expect(JSON.parse(body)).toHaveLength(slow.quick + 1)
  return view
}

describe('a worker that is killed', () => {
  it('as soon as it has claimed is followed by another within twice the lease', async () => {
    const s = await setup()
    const first = s.startWorker()
    await running(s)
    first.kill()
    await first.ended
    const killedAt = Date.now()
    await makeSourceQuick(s.database)
    s.startWorker()
    const { attempts } = await expectTakenOver(s)
    // its claim is the end of the attempt that was lost; both processes have one clock
    expect(Date.parse(attempts[0]!.ended_at) - killedAt).toBeLessThan(10_000)
  })

  it('in the middle of its upload leaves no open upload behind, and no query', async () => {
    const s = await setup()
    const first = s.startWorker()
    await until(async () => (await s.bucket.openUploads()).length > 0)
    await until(() => sleeps(s))
    first.kill()
    await first.ended
    // PostgreSQL looks whether anybody still waits for the row, long before it has it
    await until(async () => !(await sleeps(s)), { timeoutMs: 3000 })
    expect(await s.bucket.openUploads()).toHaveLength(1)
    await makeSourceQuick(s.database)
    s.startWorker()
    await expectTakenOver(s)
  })

  it('between upload and record leaves one object, which is of the next attempt', async () => {
    const s = await setup({ LEASE_SECONDS: '15' })
    await makeSourceQuick(s.database)
    const blocker = await s.database.pool.connect()
    onTestFinished(() => blocker.release(true))
    const first = s.startWorker()
    await until(async () => (await s.bucket.openUploads()).length > 0)
    // the completion can no longer be written, though the upload goes on
    await blocker.query('begin')
    await blocker.query('select from longhaul.exports where id = $1 for update', [s.id])
    await until(async () => (await s.bucket.keys()).length > 0)
    first.kill()
    await first.ended
    // what it still had to write would be written once it may be: then it would have won
    await until(async () => {
      const { rowCount } = await blocker.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      )
      return rowCount === 0
    })
    await blocker.query('rollback')
    expect(await s.look()).toMatchObject({ state: 'running', attempt: 1 })
    s.startWorker()
    await expectTakenOver(s)
  })
})

describe('a rollout of many restarts', () => {
  it(
    'fails no export, whatever the limits of failures and attempts',
    { timeout: 180_000 },
    async () => {
      const s = await setup({ EXPORT_MAX_FAILURES: '1', EXPORT_MAX_ATTEMPTS: '2' })
      for (let restart = 1; restart <= 4; restart++) {
        const worker = s.startWorker()
        await until(async () => (await s.bucket.openUploads()).length > 0)
        worker.signal('SIGTERM')
        expect((await worker.ended).code).toBe(0)
        expect(await s.look()).toMatchObject({ state: 'queued', attempt: restart })
        expect(await s.bucket.openUploads()).toEqual([])
      }
      await makeSourceQuick(s.database)
      s.startWorker()
      const { state, attempts } = await s.client.wait(s.id)
      expect(state).toBe('completed')
      const interrupted = Array.from({ length: 4 }, () => 'interrupted')
      expect(attempts.map(({ outcome }) => outcome)).toEqual([...interrupted, 'completed'])
    },
  )
})

describe('a worker that stands still for longer than its lease', () => {
  it('changes nothing when it wakes up, and removes what it wrote', async () => {
    const s = await setup()
    const first = s.startWorker()
    await until(async () => (await s.bucket.openUploads()).length > 0)
    first.signal('SIGSTOP')
    await makeSourceQuick(s.database)
    s.startWorker()
    const view = await expectTakenOver(s)
    first.signal('SIGCONT')
    await until(() => first.output().stderr.includes('job interrupted'))
    expect(await s.look()).toEqual({ ...view, artifact: expect.anything() as unknown })
    expect(await s.bucket.keys()).toEqual([view.artifact!.key])
    await until(async () => (await s.bucket.openUploads()).length === 0)
    first.signal('SIGTERM')
    expect((await first.ended).code).toBe(0)
  })
})
