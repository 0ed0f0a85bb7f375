import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { ask, post } from '../support/ask.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { makeSourceSlow } from '../support/slow-source.ts'
import { expectExport, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

let idle: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  idle = await startTestSystem(release, { worker: false })
})

const request = async (system: TestSystem, body: object = {}) =>
  expectExport(await post(system.url, '/exports', { ...fixtureRange, ...body }), 202).id

const look = (system: TestSystem, id: string, query = '', ifNoneMatch?: string) =>
  ask(system.url, 'GET', `/exports/${id}${query}`, {
    headers: ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch },
  })

describe('If-None-Match', () => {
  it('is 304, without a body, as long as nothing has changed', async () => {
    const id = await request(idle)
    const first = await look(idle, id)
    const { etag } = first.headers
    expect(etag).toMatch(/^W\/".+"$/)
    const again = await look(idle, id, '', etag)
    expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
    expect(again.headers['retry-after']).toMatch(/^\d+$/)
    await idle.client.cancel(id)
    const changed = await look(idle, id, '', etag)
    expect(expectExport(changed, 200).state).toBe('canceled')
    expect(changed.headers.etag).not.toBe(etag)
  })

  it('is 304 for a completed export while the link that came with it lives, then a fresh one', async () => {
    const system = await startTestSystem(onTestFinished, { environment: { LINK_TTL_SECONDS: '4' } })
    const { id } = await system.client.wait(await request(system))
    const { etag } = (await look(system, id)).headers
    expect((await look(system, id, '', etag)).status).toBe(304)
    const fresh = await until(async () => {
      const answer = await look(system, id, '', etag)
      return answer.status === 200 && answer
    })
    const { artifact } = expectExport(fresh, 200)
    expect(Date.parse(artifact!.url_expires_at)).toBeGreaterThan(Date.now() + 2000)
    expect((await fetch(artifact!.url)).status).toBe(200)
    // the record keeps the facts of an artifact that was deleted, but there is no link to it
    await ask(system.url, 'DELETE', `/exports/${id}`)
    const { etag: ofExpired } = (await look(system, id)).headers
    expect((await look(system, id, '', ofExpired)).status).toBe(304)
  })
})

describe('wait=SECONDS', () => {
  it('answers when the export has finished', async () => {
    const id = await request(idle)
    const waiting = [look(idle, id, '?wait=30'), look(idle, id, '?wait=60')]
    await idle.client.cancel(id)
    for (const answer of await Promise.all(waiting)) {
      expect(expectExport(answer, 200).state).toBe('canceled')
    }
  })

  it('answers after that time with what there is', async () => {
    const id = await request(idle)
    const startedAt = performance.now()
    const answer = await look(idle, id, '?wait=1')
    expect(expectExport(answer, 200).state).toBe('queued')
    expect(performance.now() - startedAt).toBeGreaterThan(990)
    const { etag } = answer.headers
    expect((await look(idle, id, '?wait=1', etag)).status).toBe(304)
  })

  it('with If-None-Match answers as soon as anything has changed', async () => {
    const system = await startTestSystem(onTestFinished)
    await makeSourceSlow(system.database, { quick: 600, bytes: 100 })
    const id = await request(system, { export_content: true })
    const seen: string[] = []
    for (let tag: string | undefined; ;) {
      const answer = await look(system, id, tag === undefined ? '' : '?wait=60', tag)
      const { state, progress } = expectExport(answer, 200)
      seen.push(state)
      if (progress.rows > 0) break
      tag = answer.headers.etag
    }
    expect(seen.at(-1)).toBe('running')
    await system.client.cancel(id)
  })

  it('answers at once when the server is stopped', async () => {
    const system = await startTestSystem(onTestFinished, {
      worker: false,
      environment: { SHUTDOWN_GRACE_SECONDS: '30' },
    })
    const id = await request(system)
    const warnings: Error[] = []
    const warn = (warning: Error) => void warnings.push(warning)
    process.on('warning', warn)
    onTestFinished(() => void process.off('warning', warn))
    // more than Node takes for a leak
    const waiting = Array.from({ length: 20 }, () => look(system, id, '?wait=60'))
    // one that came later has been answered: these have arrived
    await look(system, id)
    const startedAt = performance.now()
    await system.stopServer()
    for (const answer of await Promise.all(waiting)) {
      expect(expectExport(answer, 200).state).toBe('queued')
    }
    expect(performance.now() - startedAt).toBeLessThan(5000)
    expect(warnings).toEqual([])
  })

  it('lets a script fetch the artifact without a loop', async () => {
    const system = await startTestSystem(onTestFinished)
    await insertFixtureServices(system.database.pool)
    const id = await request(system)
    const response = await fetch(`${system.url}/exports/${id}/artifact?wait=60`)
    expect(await response.text()).toBe('["S7",\n"S1",\n"S4",\n"S2",\n"S3"]')
  })

  it.each(['61', '-1', '1.5', 'x', '', '1e1', '007'])('%j is 400', async (wait) => {
    const id = await request(idle)
    for (const path of [`/exports/${id}`, `/exports/${id}/artifact`]) {
      const answer = await ask(idle.url, 'GET', `${path}?wait=${wait}`)
      expect(expectProblem(answer, 400, 'SPEC_INVALID').detail).toContain('at most 60')
    }
  })

  it('twice, or another parameter, is 400; an unknown id 404 at once', async () => {
    const id = await request(idle)
    expectProblem(await look(idle, id, '?wait=1&wait=2'), 400, 'SPEC_INVALID')
    expectProblem(await look(idle, id, '?wiat=1'), 400, 'SPEC_INVALID')
    expectProblem(await look(idle, 'nothing', '?wait=60'), 404, 'EXPORT_NOT_FOUND')
  })
})

describe('Retry-After and the estimate', () => {
  it('follow the progress, and are absent when unknown', async () => {
    const id = await request(idle)
    const queued = await look(idle, id)
    expect(queued.headers['retry-after']).toBe('1')
    expect(expectExport(queued, 200).progress).toEqual({ rows: 0, bytes: 0 })

    // an attempt that has read a tenth in ten seconds
    await idle.database.pool.query(
      `update longhaul.exports set state = 'running', attempt = 1, lease_until = now() + interval '1 hour',
         started_at = now(), attempt_at = now() - interval '11 s', progress_at = now() - interval '1 s',
         rows = 100, bytes = 1000, estimated_rows = 1000 where id = $1`,
      [id],
    )
    const running = await look(idle, id)
    expect(expectExport(running, 200).progress).toEqual({
      rows: 100,
      bytes: 1000,
      estimated_rows: 1000,
      eta_seconds: 90,
    })
    expect(running.headers['retry-after']).toBe('30')

    const refused = await ask(idle.url, 'GET', `/exports/${id}/artifact`)
    expectProblem(refused, 409, 'EXPORT_NOT_READY')
    expect(refused.headers['retry-after']).toBe('30')

    await idle.client.cancel(id)
    const canceled = await look(idle, id)
    expect(canceled.headers['retry-after']).toBeUndefined()
    expect(expectExport(canceled, 200).progress).not.toHaveProperty('eta_seconds')
  })
})
