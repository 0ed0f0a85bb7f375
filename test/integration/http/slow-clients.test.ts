import net from 'node:net'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createBaseApp } from '../../../src/http/base-app.ts'
import { createLogger } from '../../../src/logger.ts'
import { deferred } from '../../support/deferred.ts'
import { releaseAfterAll } from '../../support/release-after-all.ts'
import { until } from '../../support/until.ts'

const patience = { headersMs: 300, requestMs: 600, lookMs: 50 }

let port: number
/** Requests that `/wait` has begun to answer, and what it waits for. */
let asked = 0
const answering = deferred()
let countConnections: () => Promise<number>
const release = releaseAfterAll()
beforeAll(async () => {
  const logger = createLogger({ level: 'silent' })
  const app = createBaseApp({ logger, apiKeys: [], missHint: 'Nowhere.', patience })
  app.get('/wait', { config: { permission: 'nothing' } }, async () => {
    asked++
    await answering.promise
    return {}
  })
  app.post('/echo', { config: { permission: 'nothing' } }, (request) => request.body)
  await app.listen({ host: '127.0.0.1', port: 0 })
  release(() => {
    answering.resolve()
    return app.close()
  })
  port = (app.server.address() as net.AddressInfo).port
  countConnections = () =>
    new Promise((resolve, reject) =>
      app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    )
})

/** Sends this, then a byte now and then, and takes what comes. */
function connectSlowly(first: string, drip = '') {
  const socket = net.connect(port, '127.0.0.1')
  let received = ''
  socket.setEncoding('utf8').on('data', (text: string) => (received += text))
  socket.on('error', () => undefined)
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(received)))
  socket.write(first)
  const dripping = drip === '' ? undefined : setInterval(() => socket.write(drip), 40)
  void closed.then(() => clearInterval(dripping))
  onTestFinished(() => void socket.destroy())
  return closed
}

/** The problem document of a raw answer. */
const problemOf = (answer: string) => {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  expect(head).toContain('application/problem+json')
  return { line: head.split('\r\n')[0], ...(JSON.parse(body) as { code: string; status: number }) }
}

describe('a client that is slow on purpose', () => {
  it.each([
    ['says nothing', ''],
    ['never ends its headers', 'GET /echo HTTP/1.1\r\nHost: x\r\nX-Slow: '],
  ])('and %s has its connection closed', async (_how, first) => {
    const answer = await connectSlowly(first, first && 'a')
    if (first !== '')
      expect(problemOf(answer)).toMatchObject({ status: 408, code: 'REQUEST_TIMEOUT' })
  })

  it('and never ends its body has its connection closed', async () => {
    const first =
      'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"'
    expect(problemOf(await connectSlowly(first, 'a'))).toMatchObject({ status: 408 })
  })

  it('is no trouble for others, though there are two hundred of it, and leaves nothing behind', async () => {
    const slow = Array.from({ length: 200 }, () => connectSlowly('GET / HTTP/1.1\r\nX: ', 'a'))
    await until(async () => (await countConnections()) >= 200)
    const answer = await fetch(`http://127.0.0.1:${port}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: '{"a":1}',
    })
    expect(await answer.json()).toEqual({ a: 1 })
    await Promise.all(slow)
    await until(async () => (await countConnections()) === 0)
  })
})

describe('what is no request', () => {
  it.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00', 400],
    ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 400],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    ['two hosts', 'GET /wait HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n', 400],
    ['no host', 'GET /wait HTTP/1.1\r\n\r\n', 400],
    ['headers of 20 KB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
  ])('such as %s is answered as such', async (_what, bytes, status) => {
    expect(problemOf(await connectSlowly(bytes)).status).toBe(status)
  })

  it('and comes behind a request is no answer to that one', async () => {
    const before = asked
    const answer = await connectSlowly(
      'GET /wait HTTP/1.1\r\nHost: x\r\n\r\n\x16\x03\x01garbage\r\n\r\n',
    )
    expect(asked).toBe(before + 1)
    expect(answer).toBe('')
  })
})
