import { GetObjectCommand, NoSuchKey } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, it } from 'vitest'
import { ask, post } from '../support/ask.ts'
import { sha256 } from '../support/chunks.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectExport, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** With a worker. */
let system: TestSystem
/** Without one: everything stays queued. */
let idle: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release)
  idle = await startTestSystem(release, { worker: false })
  await insertFixtureServices(system.database.pool)
})

async function requested({ url }: TestSystem, body: object = {}) {
  return expectExport(await post(url, '/exports', { ...fixtureRange, ...body }), 202).id
}

/** A completed export. */
async function completed(body: object = {}, on = system) {
  const id = await requested(on, body)
  return until(async () => {
    const view = expectExport(await ask(on.url, 'GET', `/exports/${id}`), 200)
    expect(['queued', 'running', 'completed']).toContain(view.state)
    return view.state === 'completed' && view
  })
}

/** An export that fails, as one of its records cannot be exported. */
async function failed() {
  const id = await requested(system, {
    time_from: '2030-01-01T00:00:00Z',
    time_to: '2030-01-02T00:00:00Z',
    export_content: true,
  })
  return until(async () => {
    const view = expectExport(await ask(system.url, 'GET', `/exports/${id}`), 200)
    return view.state === 'failed' && view
  })
}

const get = (id: string, suffix = '', { url } = system) =>
  ask(url, 'GET', `/exports/${id}${suffix}`)
const remove = (id: string, { url } = system) => ask(url, 'DELETE', `/exports/${id}`)
const cancel = (id: string, { url } = system) => ask(url, 'POST', `/exports/${id}/cancel`)

describe('a completed export', () => {
  it('shows its times, its progress and its artifact', async () => {
    const view = await completed({ export_content: true })
    const times = [view.created_at, view.started_at!, view.snapshot_at!, view.finished_at!]
    expect(times).toEqual([...times].sort())
    expect(view.attempt).toBe(1)
    expect(view.error).toBeUndefined()
    expect(view.progress).toMatchObject({ rows: 5, bytes: view.artifact!.bytes })
    expect(view.artifact).toMatchObject({ rows: 5, content_type: 'application/json' })
    expect(view.artifact!.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(view.artifact!.key).toContain(view.id)
    const left = Date.parse(view.artifact!.url_expires_at) - Date.now()
    expect(left).toBeGreaterThan(3_500_000)
    expect(left).toBeLessThanOrEqual(3_600_000)
    const answer = await get(view.id)
    expect(answer.headers['retry-after']).toBeUndefined()
  })

  it('is fetched by a link that needs nothing else, and holds the recorded bytes', async () => {
    const view = await completed()
    const answer = await get(view.id, '/artifact')
    expect(answer.status).toBe(302)
    expect(answer.headers['cache-control']).toBe('no-store')
    const response = await fetch(answer.headers.location!)
    const text = await response.text()
    expect(response.status).toBe(200)
    expect(sha256(text)).toBe(view.artifact!.sha256)
    expect(JSON.parse(text)).toEqual(['S7', 'S1', 'S4', 'S2', 'S3'])
  })

  it('soon has a fresh link, and none is kept in the database', async ({ onTestFinished }) => {
    // a link is given again for a hundredth of its life
    const system = await startTestSystem(onTestFinished, {
      environment: { LINK_TTL_SECONDS: '200' },
    })
    await insertFixtureServices(system.database.pool)
    const { id } = await completed({}, system)
    const location = async () => (await get(id, '/artifact', system)).headers.location!
    const first = await location()
    const second = await until(async () => {
      const next = await location()
      return next !== first && next
    })
    for (const link of [first, second]) expect((await fetch(link)).status).toBe(200)
    const { rows } = await system.database.pool.query('select * from longhaul.exports')
    expect(JSON.stringify(rows)).not.toMatch(/X-Amz-/i)
    expect(system.logLines.join('')).not.toMatch(/X-Amz-|Signature=/i)
  })

  it('cannot be canceled', async () => {
    const { id } = await completed()
    const problem = expectProblem(await cancel(id), 409, 'EXPORT_FINISHED')
    expect(problem.state).toBe('completed')
    expect(expectExport(await get(id), 200).state).toBe('completed')
  })

  it('is deleted with its object; the record stays, and says that it has expired', async () => {
    const { id, artifact } = await completed()
    const link = (await get(id, '/artifact')).headers.location!
    const answer = await remove(id)
    expect([answer.status, answer.text]).toEqual([204, ''])
    expect(await system.bucket.keys()).not.toContain(artifact!.key)
    const { client, settings } = system.bucket
    await expect(
      client.send(new GetObjectCommand({ Bucket: settings.bucket, Key: artifact!.key })),
    ).rejects.toBeInstanceOf(NoSuchKey)
    expect((await fetch(link)).status).toBe(404)

    const view = expectExport(await get(id), 200)
    expect(view.state).toBe('expired')
    expect(view.artifact).toBeUndefined()
    expect(view.progress.rows).toBe(5)
    const problem = expectProblem(await get(id, '/artifact'), 410, 'EXPORT_EXPIRED')
    expect(problem.state).toBe('expired')
    expect((await remove(id)).status).toBe(204)
    expect(expectProblem(await cancel(id), 409, 'EXPORT_FINISHED').state).toBe('expired')
    expect(expectExport(await get(id), 200)).toEqual(view)
  })

  it('is deleted once, however many ask at once', async () => {
    const { id } = await completed()
    const answers = await Promise.all(Array.from({ length: 5 }, () => remove(id)))
    expect(answers.map((answer) => answer.status)).toEqual([204, 204, 204, 204, 204])
  })
})

describe('a queued export', () => {
  it('has no artifact yet, and cannot be deleted', async () => {
    const id = await requested(idle)
    for (const answer of [await get(id, '/artifact', idle), await remove(id, idle)]) {
      expect(expectProblem(answer, 409, 'EXPORT_NOT_READY').state).toBe('queued')
    }
    expect(expectExport(await get(id, '', idle), 200).state).toBe('queued')
  })

  it('is canceled at once, with 202, and then 200', async () => {
    const id = await requested(idle)
    const view = expectExport(await cancel(id, idle), 202)
    expect(view).toMatchObject({ id, state: 'canceled', attempt: 0 })
    expect(view.finished_at).toBeDefined()
    expect(expectExport(await cancel(id, idle), 200)).toEqual(view)
    expect(expectExport(await get(id, '', idle), 200)).toEqual(view)
  })

  it('is canceled once, however many ask at once', async () => {
    const id = await requested(idle)
    const answers = await Promise.all(Array.from({ length: 5 }, () => cancel(id, idle)))
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 200, 200, 200, 202])
  })
})

describe('an export that ended without an artifact', () => {
  it('canceled: says so with 410, and is deleted with 204, as often as one likes', async () => {
    const id = await requested(idle)
    await cancel(id, idle)
    expect(expectProblem(await get(id, '/artifact', idle), 410).state).toBe('canceled')
    for (let i = 0; i < 2; i++) expect((await remove(id, idle)).status).toBe(204)
    expect(expectExport(await get(id, '', idle), 200).state).toBe('canceled')
  })

  it('failed: names the record at fault, says so with 410, and cannot be canceled', async () => {
    await system.database.pool.query(
      `insert into context_services.services (service_id, service_type, started_at, started)
       values ('broken-7', '100', '2030-01-01T12:00:00Z', '[]')`,
    )
    const view = await failed()
    expect(view.error).toMatchObject({ code: 'ENCODE_UNSUPPORTED_VALUE', retryable: false })
    expect(view.error!.message).toContain('broken-7')
    expect(view.finished_at).toBeDefined()
    expect(view.artifact).toBeUndefined()
    expect(expectProblem(await get(view.id, '/artifact'), 410).state).toBe('failed')
    expect(expectProblem(await cancel(view.id), 409, 'EXPORT_FINISHED').state).toBe('failed')
    expect((await remove(view.id)).status).toBe(204)
    expect(expectExport(await get(view.id), 200)).toEqual(view)
    expect((await system.bucket.keys()).filter((key) => key.includes(view.id))).toEqual([])
    expect(await system.bucket.openUploads()).toEqual([])
  })
})
