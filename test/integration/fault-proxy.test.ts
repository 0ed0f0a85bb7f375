import net from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createFaultProxy, type FaultProxy } from '../support/fault-proxy.ts'
import { until } from '../support/until.ts'

/** A server that sends back what it gets, and what ended its connections. */
async function startEcho() {
  const ends: string[] = []
  const server = net.createServer((socket) => {
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
    socket.on('end', () => ends.push('end'))
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  const { port } = server.address() as net.AddressInfo
  const proxy = await createFaultProxy(`tcp://127.0.0.1:${port}`, onTestFinished)
  return { proxy, ends, open: () => openSocket(proxy) }
}

/** A client's connection: what has come, and how it ended. */
async function openSocket({ url }: FaultProxy) {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let received = ''
  let end: string | undefined
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()))
  socket.on('end', () => (end ??= 'end'))
  socket.on('error', (error: NodeJS.ErrnoException) => (end ??= error.code))
  await once(socket, 'connect')
  return {
    send: (text: string) => void socket.write(text),
    close: () => void socket.end(),
    received: () => received,
    receives: (text: string) => until(() => received === text),
    ended: () => until(() => end),
    end: () => end,
  }
}

const msOf = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

describe('a fault that strikes', () => {
  it('nothing leaves bytes and ends as they are', async () => {
    const { open, ends } = await startEcho()
    const client = await open()
    const text = 'x'.repeat(300_000)
    client.send(text)
    await client.receives(text)
    client.close()
    expect(await client.ended()).toBe('end')
    expect(ends).toEqual(['end'])
  })

  it('by drop closes connections in order, those that are there and new ones, until it is healed', async () => {
    const { proxy, open, ends } = await startEcho()
    const client = await open()
    client.send('a')
    await client.receives('a')
    proxy.strike({ then: 'drop' })
    expect(await client.ended()).toBe('end')
    await until(() => ends.includes('end'))
    expect(await (await open()).ended()).toBe('end')
    proxy.heal()
    const next = await open()
    next.send('b')
    await next.receives('b')
  })

  it('by reset ends both sides with an RST', async () => {
    const { proxy, open, ends } = await startEcho()
    const client = await open()
    client.send('a')
    await client.receives('a')
    proxy.strike({ then: 'reset' })
    expect(await client.ended()).toBe('ECONNRESET')
    await until(() => ends.includes('ECONNRESET'))
  })

  it('after so many bytes truncates what a side sends', async () => {
    const { proxy, open } = await startEcho()
    proxy.strike({ then: 'drop', afterBytes: 1000 })
    const client = await open()
    client.send('x'.repeat(5000))
    expect(await client.ended()).toBe('end')
    expect(client.received()).toHaveLength(1000)

    proxy.strike({ then: 'drop', afterBytes: 1000, from: 'client' })
    const other = await open()
    other.send('x'.repeat(5000))
    expect(await other.ended()).toBe('end')
    expect(other.received().length).toBeLessThanOrEqual(1000)
  })

  it('by silence passes nothing and tells of no end, until it is healed', async () => {
    const { proxy, open, ends } = await startEcho()
    const [speaking, leaving] = [await open(), await open()]
    proxy.strike({ then: 'stall', from: 'both' })
    speaking.send('late')
    leaving.close()
    await sleep(200)
    expect([speaking.received(), speaking.end(), ends]).toEqual(['', undefined, []])
    proxy.heal()
    await speaking.receives('late')
    await until(() => ends.length === 1)
  })

  it('by silence for good tells the server once it is healed, the client never; new ones are well', async () => {
    const { proxy, open, ends } = await startEcho()
    const client = await open()
    client.send('a')
    await client.receives('a')
    proxy.strike({ then: 'stall', forGood: true })
    client.send('lost')
    proxy.heal()
    await until(() => ends.includes('ECONNRESET'))
    const next = await open()
    next.send('heard')
    await next.receives('heard')
    client.send('lost, too')
    await sleep(100)
    expect([client.received(), client.end()]).toEqual(['a', undefined])
  })

  it('by delay holds every chunk back for so long', async () => {
    const { proxy, open } = await startEcho()
    const client = await open()
    proxy.strike({ then: 'delay', ms: 200, from: 'both' })
    const ms = await msOf(async () => {
      client.send('a')
      await client.receives('a')
    })
    expect(ms).toBeGreaterThan(390)
  })

  it('by throttle lets so many bytes a second pass', async () => {
    const { proxy, open } = await startEcho()
    const client = await open()
    proxy.strike({ then: 'throttle', bytesPerSecond: 100_000 })
    const text = 'x'.repeat(50_000)
    const ms = await msOf(async () => {
      client.send(text)
      await client.receives(text)
    })
    expect(ms).toBeGreaterThan(450)
    proxy.heal()
    client.send(text)
    await client.receives(text + text)
  })

  it('by shutting the port refuses connections, until it is opened', async () => {
    const { proxy, open } = await startEcho()
    const client = await open()
    await proxy.shut()
    await client.ended()
    await expect(open()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.open()
    const next = await open()
    next.send('a')
    await next.receives('a')
  })

  it('by plan concerns one connection, counted anew by each plan', async () => {
    const { proxy, open } = await startEcho()
    const before = await open()
    proxy.plan((connection) => (connection === 2 ? { then: 'drop', afterBytes: 3 } : undefined))
    await before.ended()
    const [first, second] = [await open(), await open()]
    for (const client of [first, second]) client.send('abcdef')
    await first.receives('abcdef')
    expect(await second.ended()).toBe('end')
    expect([second.received(), proxy.connections()]).toEqual(['abc', 2])
  })
})
