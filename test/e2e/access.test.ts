import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { startExportWorker } from '../../src/compose-worker.ts'
import { createLogger } from '../../src/logger.ts'
import { testKeys } from '../support/api-keys.ts'
import { ask, type Answer } from '../support/ask.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectNothingLeaked } from '../support/secrets.ts'
import { expectArchives, expectExport, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

const keys = testKeys({ anna: 'export', bert: 'export', watch: 'read', chief: 'admin' })
const streamPath = `/genesys/1/cs/maintenance/services/stream?time_from=${fixtureRange.time_from}&time_to=${fixtureRange.time_to}`

let system: TestSystem
const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { environment: keys.variables })
  await insertFixtureServices(system.database.pool)
})

const as = (name: string) => ({ authorization: `Bearer ${keys.keyOf(name)}` })
const basic = (text: string) => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})
const asJson = { 'content-type': 'application/json' }

const requestAs = (name: string, headers: Readonly<Record<string, string>> = {}) =>
  ask(system.url, 'POST', '/exports', {
    headers: { ...as(name), ...asJson, ...headers },
    body: JSON.stringify(fixtureRange),
  })
const idOf = (answer: Answer) => expectExport(answer, 202).id
const get = (path: string, name: string, method = 'GET') =>
  ask(system.url, method, path, { headers: as(name) })

const countRecords = async () =>
  (await system.database.pool.query('select from longhaul.exports')).rowCount

const routes = [
  ['POST', '/exports'],
  ['GET', '/exports'],
  ['HEAD', '/exports'],
  ['GET', '/exports/00000000-0000-4000-8000-000000000000'],
  ['GET', '/exports/00000000-0000-4000-8000-000000000000/artifact'],
  ['POST', '/exports/00000000-0000-4000-8000-000000000000/cancel'],
  ['DELETE', '/exports/00000000-0000-4000-8000-000000000000'],
  ['GET', streamPath],
  ['HEAD', streamPath],
  ['GET', '/archives'],
  ['HEAD', '/archives'],
  ['GET', '/archives/services/2026-03-29'],
  ['GET', '/metrics'],
] as const

describe('a server with keys', () => {
  it.each(routes)('%s %s answers 401 without one, and does nothing', async (method, path) => {
    const before = await countRecords()
    const body = method === 'POST' ? { headers: asJson, body: JSON.stringify(fixtureRange) } : {}
    const answer = await ask(system.url, method, path, body)
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toMatch(/^Bearer .*, Basic /)
    expect(answer.headers['x-request-id']).toBeDefined()
    expect(await countRecords()).toBe(before)
  })

  it.each([
    ['an unknown key', { authorization: `Bearer lh_${'x'.repeat(43)}` }],
    ['a key that is cut', { authorization: `Bearer ${keys.keyOf('chief').slice(0, -1)}` }],
    [
      'the digest of a key',
      { authorization: `Bearer ${/[0-9a-f]{64}/.exec(keys.variables.API_KEYS)![0]}` },
    ],
    ['an empty key', { authorization: 'Bearer ' }],
    ['no key in it', { authorization: 'Bearer' }],
    ['a key without a scheme', { authorization: keys.keyOf('chief') }],
    ['another scheme', { authorization: `Digest ${keys.keyOf('chief')}` }],
    ['a key as the user', basic(`${keys.keyOf('chief')}:`)],
    ['no colon', basic(keys.keyOf('chief'))],
    ['what is no base64', { authorization: 'Basic %%%' }],
    ['ten thousand characters', { authorization: `Bearer ${'x'.repeat(10_000)}` }],
  ])('answers 401 to %s', async (_title, headers) => {
    const answer = await ask(system.url, 'GET', '/exports', { headers })
    expectProblem(answer, 401, 'UNAUTHENTICATED')
  })

  it.each(['/healthz', '/readyz', '/openapi.json'])('answers anybody at %s', async (path) => {
    expect((await ask(system.url, 'GET', path)).status).toBe(200)
  })

  it('takes a key as the password of any user, as old clients send it', async () => {
    const headers = basic(`whoever:${keys.keyOf('anna')}`)
    const answer = await ask(system.url, 'GET', streamPath, { headers })
    expect([answer.status, answer.json]).toEqual([200, ['S7', 'S1', 'S4', 'S2', 'S3']])
  })

  it('names the key that asked on the record, also where it asked by the original operation', async () => {
    expect(expectExport(await requestAs('anna'), 202).requested_by).toBe('anna')
    const headers = { ...as('bert'), prefer: 'respond-async' }
    const answer = await ask(system.url, 'GET', streamPath, { headers })
    expect(expectExport(answer, 202).requested_by).toBe('bert')
  })

  it('lets a client do its work with the key of LONGHAUL_API_KEY', async () => {
    const client = createClient({ url: system.url, apiKey: keys.keyOf('anna') })
    const { id } = await client.request({ ...fixtureRange })
    expect(await client.wait(id)).toMatchObject({ state: 'completed', requested_by: 'anna' })
    const stranger = createClient({ url: system.url })
    await expect(stranger.status(id)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

describe('a key that may export', () => {
  it('sees its own exports, and none of another', async () => {
    const [own, other] = [idOf(await requestAs('anna')), idOf(await requestAs('bert'))]
    const list = async (name: string) => {
      const { json } = await get('/exports?limit=100', name)
      return (json as { exports: { id: string; requested_by: string }[] }).exports
    }
    const seen = await list('anna')
    expect(seen.map(({ id }) => id)).toContain(own)
    expect(new Set(seen.map(({ requested_by }) => requested_by))).toEqual(new Set(['anna']))
    const tryAll = async () => {
      for (const [method, path] of [
        ['GET', `/exports/${other}`],
        ['GET', `/exports/${other}/artifact`],
        ['POST', `/exports/${other}/cancel`],
        ['DELETE', `/exports/${other}`],
      ] as const) {
        expectProblem(await get(path, 'anna', method), 404, 'EXPORT_NOT_FOUND')
      }
    }
    const completed = { state: 'completed', artifact: { rows: 5 } }
    await tryAll()
    expect((await get(`/exports/${other}?wait=60`, 'bert')).json).toMatchObject(completed)
    // there is something to delete now
    await tryAll()
    expect((await get(`/exports/${other}`, 'bert')).json).toMatchObject(completed)
  })

  it('shares no idempotency key with another', async () => {
    const headers = { 'idempotency-key': 'nightly' }
    const first = idOf(await requestAs('anna', headers))
    const second = idOf(await requestAs('bert', headers))
    expect(second).not.toBe(first)
    expect(expectExport(await requestAs('anna', headers), 200).id).toBe(first)
  })

  it.each(['/archives', '/archives/services/2026-03-29'])(
    'does not see %s, which holds everybody’s',
    async (path) => {
      const { detail } = expectProblem(await get(path, 'anna'), 403, 'FORBIDDEN')
      expect(detail).toContain('which may not see archives')
    },
  )

  it('does not see what is measured', async () => {
    const answer = await get('/metrics', 'anna')
    expectProblem(answer, 403, 'FORBIDDEN')
    expect(answer.text).toContain('a key with the role read or admin')
  })
})

describe('a key that may read', () => {
  it('sees all exports and what is measured, and changes nothing', async () => {
    const id = idOf(await requestAs('anna'))
    expectExport(await get(`/exports/${id}?wait=60`, 'watch'), 200)
    expect((await get(`/exports/${id}/artifact`, 'watch')).status).toBe(302)
    expect((await get('/metrics', 'watch')).status).toBe(200)
    expectArchives(await get('/archives', 'watch'))
    expectProblem(await get('/archives/services/2026-03-29', 'watch'), 404, 'ARCHIVE_UNKNOWN')
    const before = await countRecords()
    expectProblem(await requestAs('watch'), 403, 'FORBIDDEN')
    for (const [method, path] of [
      ['POST', `/exports/${id}/cancel`],
      ['DELETE', `/exports/${id}`],
      ['GET', streamPath],
    ] as const) {
      expect((await get(path, 'watch', method)).status).toBe(403)
    }
    expect(await countRecords()).toBe(before)
    expect((await get(`/exports/${id}`, 'watch')).json).toMatchObject({ state: 'completed' })
  })
})

describe('a key that may everything', () => {
  it('sees, changes and measures all', async () => {
    const id = idOf(await requestAs('anna'))
    expectExport(await get(`/exports/${id}?wait=60`, 'chief'), 200)
    expect((await get(`/exports/${id}`, 'chief', 'DELETE')).status).toBe(204)
    expect((await get('/metrics', 'chief')).status).toBe(200)
    expectArchives(await get('/archives', 'chief'))
  })
})

describe('a worker with keys', () => {
  it('is alive for anybody, and tells what it measures to who may read', async () => {
    const config = { ...system.config, workerPort: 0 }
    const worker = await startExportWorker(config, createLogger({ level: 'silent' }))
    onTestFinished(() => worker.stop())
    expect((await ask(worker.url, 'GET', '/healthz')).status).toBe(200)
    expect((await ask(worker.url, 'GET', '/metrics')).status).toBe(401)
    expect((await ask(worker.url, 'GET', '/metrics', { headers: as('watch') })).status).toBe(200)
  })
})

describe('keys', () => {
  it('are in no log, record or job; who asked is in the log', async () => {
    await requestAs('anna')
    await expectNothingLeaked(system, keys.secrets)
    const { logLines } = system
    expect(logLines.some((line) => line.includes('"key":"anna"'))).toBe(true)
  })
})
