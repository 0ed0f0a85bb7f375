import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { exportSchema, type ExportView } from '../../src/http/schemas.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import type { Release } from '../support/release.ts'
import { fixtureRange, insertFixtureServices, insertService } from '../support/fixture-services.ts'
import { createFolder, errorOf, jsonOf, runCli, startCli } from '../support/run-cli.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const uuid = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/
const range = ['--from', fixtureRange.time_from, '--to', fixtureRange.time_to]
const broken = ['--from', '2030-01-01T00:00:00Z', '--to', '2030-01-02T00:00:00Z', '--content']

/** With a worker. */
let system: TestSystem
/** Without one: everything stays queued. */
let idle: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release)
  idle = await startTestSystem(release, { worker: false })
  await insertFixtureServices(system.database.pool)
  await insertService(system.database.pool, {
    service_id: 'broken-7',
    started_at: '2030-01-01T12:00:00Z',
    started: [],
  })
})

/** Starts to wait for an export of the idle system; `from` tells it from those of other tests. */
async function startToWait(release: Release, from: string, options: readonly string[] = []) {
  const args = ['export', '--wait', '--from', from, ...options]
  const running = startCli(release, args, { env: { LONGHAUL_URL: idle.url } })
  const id = await until(async () => {
    const { exports } = await idle.client.list({ limit: 100 })
    return exports.find((view) => view.request.time_from === from)?.id
  })
  // it waits once it has asked for the state; the server's log shows that
  await until(() => idle.logLines.some((line) => line.includes(`"path":"/exports/${id}"`)))
  return { running, id }
}

const cli = (args: readonly string[], { url } = system, cwd?: string) =>
  runCli(args, { env: { LONGHAUL_URL: url }, ...(cwd === undefined ? {} : { cwd }) })

const viewOf = (document: unknown): ExportView => {
  const view = exportSchema.parse(document)
  expect(document).toStrictEqual(view)
  return view
}

describe.concurrent('longhaul export', () => {
  it('requests, and prints the export as one JSON document', async () => {
    const result = await cli(
      [
        ...['export', '--json', ...range, '--content', '--dataset', 'services'],
        ...['--events', 'started', '--state', 'active', '--format', 'ndjson'],
      ],
      idle,
    )
    expect([result.code, result.stderr]).toEqual([0, ''])
    const view = viewOf(jsonOf(result))
    expect(view.request).toEqual({
      dataset: 'services',
      ...fixtureRange,
      filter_events: 'started',
      export_content: true,
      filter_state: 'active',
      ...{ format: 'ndjson', compression: 'none' },
    })
    expect(await idle.client.status(view.id)).toEqual(view)
  })

  it('requests with the defaults of the server, and prints the id for a person', async () => {
    const result = await cli(['export', '--from', fixtureRange.time_from], idle)
    expect([result.code, result.stderr]).toEqual([0, ''])
    const { request, created_at } = await idle.client.status(uuid.exec(result.stdout)![0])
    expect(request).toMatchObject({
      time_to: created_at,
      filter_events: 'any',
      filter_state: 'any',
    })
    expect(result.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('makes one export of two runs with one --idempotency-key', async () => {
    const args = ['export', '--json', ...range, '--idempotency-key', 'nightly-2014-07-22']
    const results = await Promise.all([cli(args, idle), cli(args, idle)])
    expect(results.map(({ code }) => code)).toEqual([0, 0])
    const [first, second] = results.map((result) => viewOf(jsonOf(result)))
    expect(first).toEqual(second)
    const other = await cli([...args, '--content', '--json'], idle)
    expect(other.code).toBe(64)
    expect(errorOf(other).code).toBe('IDEMPOTENCY_KEY_REUSED')
  })

  it('ends with 64 and the message of the server when the request is wrong', async () => {
    const [plain, json] = await Promise.all([
      cli(['export', '--from', '2014-07-22', '--events', 'all']),
      cli(['export', '--json', '--from', '2014-07-22', '--events', 'all']),
    ])
    expect([plain.code, plain.stdout]).toEqual([64, ''])
    expect(plain.stderr).toContain('time_from: expected ')
    expect(plain.stderr).toContain('filter_events: expected ')
    expect(json.code).toBe(64)
    expect(errorOf(json)).toMatchObject({ code: 'SPEC_INVALID' })
  })
})

describe.concurrent('longhaul export --wait', () => {
  it('shows progress on stderr as plain lines, and only the result on stdout', async () => {
    const { code, stdout, stderr } = await cli(['export', '--wait', ...range])
    expect(code).toBe(0)
    const id = uuid.exec(stdout)![0]
    const { artifact } = await system.client.status(id)
    expect(stdout).toMatch(/^state +completed$/m)
    expect(stdout).toContain(artifact!.sha256)
    expect(stdout).toMatch(/5 rows/)
    expect(stderr).toContain(id)
    expect(stderr).toMatch(/^completed: 5 rows/m)
    // no colours, no cursor movements, no carriage returns
    expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/)
  })

  it('prints one JSON document with --json', async () => {
    const result = await cli(['export', '--wait', '--json', ...range])
    expect([result.code, result.stderr]).toEqual([0, ''])
    expect(viewOf(jsonOf(result))).toMatchObject({ state: 'completed', artifact: { rows: 5 } })
  })

  it('ends with the exit code of the failure, and names the record at fault', async () => {
    const [plain, json] = await Promise.all([
      cli(['export', '--wait', ...broken]),
      cli(['export', '--wait', '--json', ...broken]),
    ])
    expect([plain.code, plain.stdout]).toEqual([21, ''])
    expect(plain.stderr).toContain('broken-7')
    expect(json.code).toBe(21)
    const error = errorOf(json)
    expect(error.code).toBe('ENCODE_UNSUPPORTED_VALUE')
    expect(error.message).toMatch(uuid)
  })

  it('ends with 12 when somebody cancels the export', async ({ onTestFinished }) => {
    const from = '2014-01-01T00:00:00.000Z'
    const { running, id } = await startToWait(onTestFinished, from, ['--json'])
    await idle.client.cancel(id)
    const result = await running.ended
    expect(result.code).toBe(12)
    expect(errorOf(result)).toMatchObject({ code: 'EXPORT_CANCELED' })
  })

  it('leaves the export running on SIGINT, and prints its id', async ({ onTestFinished }) => {
    const [plain, json] = await Promise.all([
      startToWait(onTestFinished, '2014-01-02T00:00:00.000Z'),
      startToWait(onTestFinished, '2014-01-03T00:00:00.000Z', ['--json']),
    ])
    for (const { running, id } of [plain, json]) {
      running.signal('SIGINT')
      const { code, stderr } = await running.ended
      expect(code).toBe(130)
      expect(stderr).toContain(id)
      expect((await idle.client.status(id)).state).toBe('queued')
    }
    expect((await plain.running.ended).stdout).toBe('')
    const error = errorOf(await json.running.ended)
    expect(error.code).toBe('EXPORT_INTERRUPTED')
    expect(error.message).toContain(json.id)
  })
})

describe.concurrent('longhaul export --output', () => {
  it('waits, and leaves the verified file, whole and alone', async ({ onTestFinished }) => {
    const cwd = await createFolder(onTestFinished)
    const result = await cli(['export', ...range, '--json', '--output', 'day.json'], system, cwd)
    expect([result.code, result.stderr]).toEqual([0, ''])
    const document = jsonOf(result) as ExportView & { file: string }
    const text = await readFile(join(cwd, 'day.json'))
    expect(createHash('sha256').update(text).digest('hex')).toBe(document.artifact!.sha256)
    expect(document.file).toBe('day.json')
    expect(await readdir(cwd)).toEqual(['day.json'])
  })

  it('leaves no file when the export fails', async ({ onTestFinished }) => {
    const cwd = await createFolder(onTestFinished)
    expect((await cli(['export', ...broken, '--output', 'day.json'], system, cwd)).code).toBe(21)
    expect(await readdir(cwd)).toEqual([])
  })
})

describe.concurrent('longhaul status, list and cancel', () => {
  it('show one export, for a person and for a program', async () => {
    const { id } = await system.client.request({ ...fixtureRange })
    const view = await system.client.wait(id)
    const [plain, json, unknown] = await Promise.all([
      cli(['status', id]),
      cli(['status', '--json', id]),
      cli(['status', '--json', '11111111-1111-4111-8111-111111111111']),
    ])
    expect([plain.code, plain.stderr]).toEqual([0, ''])
    for (const part of [id, 'completed', view.artifact!.sha256, 'http']) {
      expect(plain.stdout).toContain(part)
    }
    expect(viewOf(jsonOf(json))).toMatchObject({ id, state: 'completed' })
    expect(unknown.code).toBe(10)
    expect(errorOf(unknown)).toMatchObject({ code: 'EXPORT_NOT_FOUND' })
  })

  it('list the newest first, by state, page by page', async ({ onTestFinished }) => {
    const fresh = await startTestSystem(onTestFinished, { worker: false })
    expect((await cli(['list'], fresh)).stdout).toMatch(/no exports/)
    const ids: string[] = []
    for (let i = 0; i < 3; i++) ids.unshift((await fresh.client.request({ ...fixtureRange })).id)
    await fresh.client.cancel(ids[1]!)
    const [plain, state, wrong] = await Promise.all([
      cli(['list', '--limit', '2'], fresh),
      cli(['list', '--json', '--state', 'canceled'], fresh),
      cli(['list', '--state', 'done'], fresh),
    ])
    expect([plain.code, plain.stderr]).toEqual([0, ''])
    const lines = plain.stdout.trim().split('\n')
    expect(lines.map((line) => uuid.exec(line)?.[0])).toEqual([ids[0], ids[1], undefined])
    const cursor = /--cursor (\S+)/.exec(lines[2]!)![1]!
    const rest = jsonOf(await cli(['list', '--json', '--limit', '2', '--cursor', cursor], fresh))
    expect(rest).toMatchObject({ exports: [{ id: ids[2] }], next_cursor: null })
    expect(jsonOf(state)).toMatchObject({ exports: [{ id: ids[1] }], next_cursor: null })
    expect([wrong.code, wrong.stdout]).toEqual([64, ''])
    expect(wrong.stderr).toContain('"queued"')
  })

  it('cancel a queued export, twice, but not a completed one', async () => {
    const { id } = await idle.client.request({ ...fixtureRange })
    const plain = await cli(['cancel', id], idle)
    expect([plain.code, plain.stderr]).toEqual([0, ''])
    expect(plain.stdout).toContain(id)
    const again = await cli(['cancel', '--json', id], idle)
    expect(again.code).toBe(0)
    expect(viewOf(jsonOf(again)).state).toBe('canceled')

    const done = await system.client.request({ ...fixtureRange })
    await system.client.wait(done.id)
    const late = await cli(['cancel', '--json', done.id])
    expect(late.code).toBe(11)
    expect(errorOf(late)).toMatchObject({ code: 'EXPORT_FINISHED' })
  })
})
