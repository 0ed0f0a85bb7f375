import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createClient, type ExportView } from '../../src/client/client.ts'
import { fixtureRange, insertFixtureServices } from '../support/fixture-services.ts'
import { startTestSystem } from '../support/system.ts'

/** A server whose answers the test gives; requests are kept. */
async function startScripted(
  answer: (request: http.IncomingMessage, response: http.ServerResponse, count: number) => void,
) {
  const requests: http.IncomingMessage[] = []
  const server = http.createServer((request, response) => {
    requests.push(request)
    answer(request, response, requests.length)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

const view = (state: string, rows: number) => ({ id: 'x', state, progress: { rows, bytes: 0 } })
const json = (response: http.ServerResponse, body: unknown, etag: string) =>
  response
    .setHeader('content-type', 'application/json')
    .setHeader('etag', etag)
    .end(JSON.stringify(body))

describe('wait', () => {
  it('shows every change, and returns the finished export', async () => {
    const system = await startTestSystem(onTestFinished)
    await insertFixtureServices(system.database.pool)
    const { id } = await system.client.request({ ...fixtureRange })
    const states: string[] = []
    const finished = await system.client.wait(id, { onProgress: ({ state }) => states.push(state) })
    expect(finished).toMatchObject({ state: 'completed', artifact: { rows: 5 } })
    expect(states.at(-1)).toBe('completed')
  })

  it('lets the server hold the answer back, and tells it what it has', async () => {
    const { url, requests } = await startScripted((_request, response, count) => {
      if (count === 1) json(response, view('running', 1), 'W/"one"')
      else if (count === 2) response.writeHead(304, { etag: 'W/"one"' }).end()
      else json(response, view('canceled', 2), 'W/"two"')
    })
    const seen: ExportView[] = []
    await createClient({ url }).wait('x', { onProgress: (each) => seen.push(each) })
    expect(seen.map(({ state }) => state)).toEqual(['running', 'canceled'])
    expect(requests.map((request) => request.url)).toEqual([
      '/exports/x',
      '/exports/x?wait=20',
      '/exports/x?wait=20',
    ])
    expect(requests[1]!.headers['if-none-match']).toBe('W/"one"')
  })

  it('asks again at once after news, and rests after none', async () => {
    const news = 8
    const askedAt: number[] = []
    const { url } = await startScripted((_request, response, count) => {
      askedAt.push(performance.now())
      if (count <= news) json(response, view('running', count), `W/"${count}"`)
      else if (count === news + 1) response.writeHead(304, { etag: `W/"${news}"` }).end()
      else json(response, view('canceled', news), 'W/"end"')
    })
    await createClient({ url }).wait('x')
    const [first = 0, last = 0, end = 0] = [askedAt[0], askedAt[news], askedAt[news + 1]]
    // a rest of half a second after each would make it four
    expect(last - first).toBeLessThan(2000)
    expect(end - last).toBeGreaterThan(450)
  })

  it('bridges a server that is away for a while, and proxies that say so', async () => {
    const { url, requests } = await startScripted((_request, response, count) => {
      if (count === 1) response.destroy()
      else if (count === 2) response.writeHead(502).end('<h1>Bad gateway</h1>')
      else json(response, view('failed', 0), 'W/"x"')
    })
    expect((await createClient({ url }).wait('x')).state).toBe('failed')
    expect(requests).toHaveLength(3)
  })

  it('says that the export goes on when the server stays away', async () => {
    const client = createClient({ url: 'http://127.0.0.1:1' })
    await expect(client.wait('an-id', { patienceMs: 600 })).rejects.toMatchObject({
      name: 'ClientError',
      code: 'SERVER_UNAVAILABLE',
      message: expect.stringMatching(
        /^For 1 s there was no answer about export an-id .*The export goes on\.$/,
      ) as string,
      hint: expect.stringContaining('longhaul status an-id') as string,
    })
  })

  it('asks no sooner than the server wishes, and tells at last why that could not answer', async () => {
    const { url, requests } = await startScripted((_request, response) => {
      const problem = { code: 'SOURCE_UNAVAILABLE', detail: 'The control database is away.' }
      response.writeHead(503, { 'retry-after': '1' }).end(JSON.stringify(problem))
    })
    await expect(createClient({ url }).wait('x', { patienceMs: 1500 })).rejects.toMatchObject({
      code: 'SERVER_UNAVAILABLE',
      message: expect.stringContaining('The control database is away.') as string,
    })
    expect(requests).toHaveLength(3)
  })

  it('ends at once when its signal is aborted, also while the server holds the answer back', async () => {
    const { url, requests } = await startScripted((request, response) => {
      if (request.url === '/exports/x') json(response, view('queued', 0), 'W/"x"')
    })
    const controller = new AbortController()
    const reason = new TypeError('enough')
    const waiting = createClient({ url }).wait('x', {
      signal: controller.signal,
      onProgress: () => setTimeout(() => controller.abort(reason), 700),
    })
    await expect(waiting).rejects.toBe(reason)
    expect(requests).toHaveLength(2)
  })

  it('does not go on when the answer is a refusal', async () => {
    const system = await startTestSystem(onTestFinished, { worker: false })
    await expect(system.client.wait('nothing')).rejects.toMatchObject({ code: 'EXPORT_NOT_FOUND' })
  })
})

describe('an API key', () => {
  it('goes with every request, and into no error', async () => {
    const { url, requests } = await startScripted((_request, response) => {
      response.writeHead(403).end('{}')
    })
    const client = createClient({ url, apiKey: 'hush-hush-hush' })
    for (const call of [
      () => client.status('x'),
      () => client.request({ time_from: 'x' }, { idempotencyKey: 'k' }),
      () => client.cancel('x'),
      () => client.list(),
    ]) {
      await expect(call()).rejects.toSatisfy(
        (error: Error) => !JSON.stringify([error, error.message]).includes('hush'),
      )
    }
    expect(requests.map(({ headers }) => headers.authorization)).toEqual(
      Array.from({ length: 4 }, () => 'Bearer hush-hush-hush'),
    )
  })
})
