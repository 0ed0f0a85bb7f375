import { beforeAll, describe, expect, it } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import { testKeys } from '../support/api-keys.ts'
import { ask } from '../support/ask.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

const keys = testKeys({ anna: 'export', bert: 'export' })
const perSecond = 5

let system: TestSystem
const release = releaseAfterAll()
beforeAll(async () => {
  const environment = { ...keys.variables, REQUESTS_PER_SECOND: String(perSecond) }
  system = await startTestSystem(release, { environment })
  await insertFixtureServices(system.database.pool)
})

const bearer = (name: string) => ({ authorization: `Bearer ${keys.keyOf(name)}` })

/** So many at once that the seconds that they take cannot hold them. */
const flood = (path: string, headers: Readonly<Record<string, string>>) =>
  Promise.all(
    Array.from({ length: 4 * perSecond }, () => ask(system.url, 'GET', path, { headers })),
  )

describe('a key that asks too often', () => {
  it('is told so, and when to come again; another key is not in its way', async () => {
    const answers = await flood('/exports', bearer('anna'))
    const turnedAway = answers.filter(({ status }) => status === 429)
    expect(turnedAway.length).toBeGreaterThan(0)
    expect(answers.length - turnedAway.length).toBeGreaterThanOrEqual(perSecond)
    for (const answer of turnedAway) {
      const { detail } = expectProblem(answer, 429, 'RATE_LIMITED')
      expect(detail).toContain(`anna asked more than ${perSecond} times`)
      expect(answer.headers['retry-after']).toBe('1')
    }
    const other = await ask(system.url, 'GET', '/exports', { headers: bearer('bert') })
    expect(other.status).toBe(200)
  })

  it('is told so in the words of the original operation where it uses that', async () => {
    const path = '/genesys/1/cs/maintenance/services/stream?time_from=2030-01-01T00:00:00Z'
    const answers = await flood(path, bearer('anna'))
    const turnedAway = answers.filter(({ status }) => status === 429)
    expect(turnedAway.length).toBeGreaterThan(0)
    for (const { json } of turnedAway) expect(json).toMatchObject({ exception: 'BusyError' })
  })

  it('does its work all the same, by a client that heeds the answer', async () => {
    const client = createClient({ url: system.url, apiKey: keys.keyOf('bert') })
    const { id } = await client.request({ ...fixtureRange })
    const waiting = client.wait(id)
    const [finished] = await Promise.all([waiting, flood('/exports', bearer('bert'))])
    expect(finished).toMatchObject({ state: 'completed' })
    await flood('/exports', bearer('bert'))
    expect(await client.wait(id)).toMatchObject({ state: 'completed' })
  })

  it('does not count against what is open to all, nor what nobody asked by a key', async () => {
    for (const { status } of await flood('/healthz', bearer('anna'))) expect(status).toBe(200)
    for (const { status } of await flood('/exports', {})) expect(status).toBe(401)
  })
})

describe('REQUESTS_PER_SECOND=0', () => {
  it('turns nobody away', async () => {
    const unlimited = await startTestSystem(release, {
      environment: { ...keys.variables, REQUESTS_PER_SECOND: '0' },
      worker: false,
    })
    const headers = bearer('anna')
    const answers = await Promise.all(
      Array.from({ length: 200 }, () => ask(unlimited.url, 'GET', '/exports', { headers })),
    )
    for (const { status } of answers) expect(status).toBe(200)
  })
})
