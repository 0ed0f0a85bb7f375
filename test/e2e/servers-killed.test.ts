import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ClientError } from '../../src/errors.ts'
import { startKillableSystem, type KillableSystem } from '../support/killable-system.ts'
import type { RunningCli } from '../support/run-cli.ts'
import { makeSourceQuick, makeSourceSlow } from '../support/slow-source.ts'
import { until } from '../support/until.ts'

const range = { time_from: '2014-07-22T12:00:00Z', time_to: '2014-07-22T18:00:00Z' }
/** Of several parts; the last row makes the export wait. */
const slow = { quick: 1500, bytes: 20_000 }
const rows = slow.quick + 1

/** How long everything is away at once, ms: longer than most restarts, and well within what is promised. */
const outageMs = 20_000

interface Running extends KillableSystem {
  readonly id: string
  readonly worker: RunningCli
}

const ready = (service: RunningCli, message: string) =>
  until(() => service.output().stderr.includes(message))

/** An export in the middle of its upload. */
async function setup(): Promise<Running> {
  const system = await startKillableSystem(onTestFinished)
  await makeSourceSlow({ pool: system.source }, slow)
  await ready(system.startServer(), 'server ready')
  const worker = system.startWorker()
  const { id } = await system.client.request({ ...range, export_content: true })
  await until(async () => (await system.contents.uploads()).length > 0)
  return { ...system, id, worker }
}

/** The export completes, and its artifact is all that there is in the bucket. */
async function expectCompleted({ id, client, contents }: Running) {
  const view = await client.wait(id)
  expect(view).toMatchObject({ state: 'completed', artifact: { rows } })
  const { key, bytes, sha256, url } = view.artifact!
  expect(await contents.keys()).toEqual([key])
  expect(await contents.digest(key)).toMatchObject({ bytes, sha256 })
  await until(async () => (await contents.uploads()).length === 0)
  expect(await (await fetch(url)).json()).toHaveLength(rows)
  return view
}

describe('a server that is killed while an export uploads', { timeout: 120_000 }, () => {
  it('the source: another attempt completes once it is back', async () => {
    const s = await setup()
    await s.source.kill()
    const { error } = await until(async () => {
      const view = await s.client.status(s.id)
      return view.error !== undefined && view
    })
    expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', retryable: true })
    await s.source.start()
    await makeSourceQuick({ pool: s.source })
    expect((await expectCompleted(s)).attempt).toBeGreaterThan(1)
  })

  it('the control database, for longer than the lease: the export is taken up again', async () => {
    const s = await setup()
    await s.control.kill()
    await until(() => s.worker.output().stderr.includes('attempt failed, another follows'))
    await s.control.start()
    await makeSourceQuick({ pool: s.source })
    const { attempts } = await expectCompleted(s)
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'completed'])
  })

  it('the store: the export completes once it is back', async () => {
    const s = await setup()
    await s.store.kill()
    await makeSourceQuick({ pool: s.source })
    await until(() => s.worker.output().stderr.includes('attempt failed, another follows'))
    await s.store.start()
    expect((await expectCompleted(s)).attempt).toBeGreaterThan(1)
  })

  it('all of them at once, for 20 seconds: the export completes all the same', async () => {
    const s = await setup()
    const all = [s.control, s.source, s.store]
    await Promise.all(all.map((server) => server.kill()))
    await sleep(outageMs)
    await Promise.all(all.map((server) => server.start()))
    await makeSourceQuick({ pool: s.source })
    await expectCompleted(s)
  })

  it('the HTTP server: the export goes on, and the next server tells', async () => {
    const system = await startKillableSystem(onTestFinished)
    await makeSourceSlow({ pool: system.source }, slow)
    const server = system.startServer()
    await ready(server, 'server ready')
    const worker = system.startWorker()
    const { id } = await system.client.request({ ...range, export_content: true })
    await until(async () => (await system.contents.uploads()).length > 0)
    server.kill()
    await server.ended
    await makeSourceQuick({ pool: system.source })
    await until(() => /job done|attempt failed/.test(worker.output().stderr))
    await ready(system.startServer(), 'server ready')
    await expectCompleted({ ...system, id, worker })
  })
})

describe('an HTTP server that is killed while it takes requests', () => {
  it('leaves no record that never runs, and loses none that it has confirmed', async () => {
    const system = await startKillableSystem(onTestFinished)
    const server = system.startServer()
    await ready(server, 'server ready')
    let killed = false
    const requests = Array.from({ length: 40 }, async (_, n) => {
      try {
        const body = { ...range, time_from: `2014-07-22T12:00:${10 + n}Z` }
        return (await system.client.request(body)).id
      } catch (error) {
        if (!(error instanceof ClientError) || !killed) throw error
        return undefined
      }
    })
    await Promise.any(requests)
    killed = true
    server.kill()
    const confirmed = (await Promise.all(requests)).filter((id) => id !== undefined)
    expect(confirmed.length).toBeGreaterThan(0)
    await ready(system.startServer(), 'server ready')
    system.startWorker()
    const { exports: records } = await system.client.list({ limit: 100 })
    const ids = records.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(confirmed))
    for (const id of ids) {
      expect(await system.client.wait(id)).toMatchObject({ state: 'completed', attempt: 1 })
    }
    expect(await system.contents.keys()).toHaveLength(ids.length)
  })
})
