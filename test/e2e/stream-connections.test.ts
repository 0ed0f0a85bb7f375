import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { runningQueries } from '../support/exports-table.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { openStream, streamQuery } from '../support/read-stream.ts'
import { makeSourceSlow } from '../support/slow-source.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const content = { ...fixtureRange, export_content: true }
const request = (version: string, headers = '') =>
  `GET ${streamQuery(content)} HTTP/${version}\r\nHost: x\r\n${headers}\r\n`

function connect({ url }: TestSystem): net.Socket {
  const { hostname, port } = new URL(url)
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  onTestFinished(() => void socket.destroy())
  return socket.on('error', () => undefined)
}

const startServer = (environment: Readonly<Record<string, string>> = {}) =>
  startTestSystem(onTestFinished, { worker: false, environment })

const queries = async ({ database }: TestSystem) => (await runningQueries(database)).length

describe('requests that are sent ahead of the answers', () => {
  it('hold no place and no snapshot until their turn, and go with their client', async () => {
    const system = await startServer({ STREAM_CONCURRENCY: '4' })
    await makeSourceSlow(system.database, { quick: 2000, bytes: 1000 })
    const socket = connect(system)
    socket.write(request('1.1').repeat(4))
    socket.once('data', () => undefined)
    await until(async () => (await queries(system)) === 1)
    await until(() => socket.bytesRead > 0)
    expect(await queries(system)).toBe(1)
    socket.destroy()
    await until(async () => (await queries(system)) === 0, { timeoutMs: 2000 })
    // a place is given back once its connection to the source has ended: then all four are free
    for (let place = 0; place < 4; place++) {
      await until(async () => {
        const response = await openStream(system.url, content)
        onTestFinished(() => void response.on('error', () => undefined).destroy())
        return response.statusCode === 200
      })
    }
  })

  it('are answered one after another', async () => {
    const system = await startServer({ STREAM_CONCURRENCY: '1' })
    const socket = connect(system)
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: unknown) => (text += String(chunk)))
    socket.write(request('1.1').repeat(3))
    await until(() => (text.match(/HTTP\/1\.1 200 OK/g) ?? []).length === 3)
    await until(() => (text.match(/\r\n\[\]\r\n0\r\n\r\n/g) ?? []).length === 3)
  })
})

describe('a client that closes its own side', () => {
  it.each(['1.0', '1.1'])(
    'in mid-stream has left: HTTP/%s is reset, not ended in order',
    async (version) => {
      const system = await startServer()
      await makeSourceSlow(system.database, { quick: 2000, bytes: 1000 })
      // Node's own client, half closed, takes a reset for an end: what the server does is looked at
      const reset = vi.spyOn(net.Socket.prototype, 'resetAndDestroy')
      onTestFinished(() => reset.mockRestore())
      const socket = connect(system)
      socket.write(request(version))
      await new Promise((resolve) => socket.once('data', resolve))
      socket.end()
      await until(() => reset.mock.calls.length > 0)
      await until(async () => (await queries(system)) === 0, { timeoutMs: 2000 })
    },
  )

  it('before the first byte has left, too', async () => {
    const system = await startServer()
    await makeSourceSlow(system.database)
    const socket = connect(system)
    socket.write(request('1.1'))
    await until(async () => (await queries(system)) === 1)
    socket.end()
    await until(async () => (await queries(system)) === 0, { timeoutMs: 2000 })
  })
})

describe('a client that is slow, but reads', () => {
  it('is not taken for one that stands still', async () => {
    const system = await startServer({ STALL_SECONDS: '2' })
    await makeSourceSlow(system.database, { quick: 12_000, bytes: 1000 })
    const response = await openStream(system.url, content)
    let failure: unknown
    response.on('error', (error) => (failure = error)).pause()
    // two megabytes a second, for three times as long as the limit: 12 of more than 15 MB
    for (let read = 0; read < 12_000_000 && failure === undefined;) {
      const chunk = response.read() as Buffer | null
      read += chunk?.length ?? 0
      await sleep(chunk === null ? 5 : chunk.length / 2000)
    }
    expect(failure).toBeUndefined()
    response.destroy()
  })
})
