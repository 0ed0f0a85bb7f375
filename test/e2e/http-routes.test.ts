import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { ask, askRaw, post } from '../support/ask.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectExport, expectNoInsides, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

let system: TestSystem
let id: string

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { worker: false })
  id = expectExport(await post(system.url, '/exports', fixtureRange), 202).id
})

/** Log events of one request. */
const logged = (requestId: string) =>
  system.logLines
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((event) => event['request_id'] === requestId)

describe('routes that do not exist', () => {
  it.each([
    '/',
    '/export',
    '/exports/x/y',
    '/Exports',
    '//exports',
    '/../etc/passwd',
    '/exports/../../package.json',
    '/exports/x/cancel/',
    '/.env',
  ])('%s is 404', async (path) => {
    for (const method of ['GET', 'POST', 'DELETE']) {
      expectProblem(await ask(system.url, method, path), 404)
    }
  })

  it('do not echo the query string, which may hold a secret', async () => {
    const answer = await ask(system.url, 'GET', '/nothing?token=hush-hush')
    expectProblem(answer, 404, 'ROUTE_NOT_FOUND')
    expect(answer.text).not.toContain('hush-hush')
    expect(system.logLines.join('')).not.toContain('hush-hush')
  })
})

describe('ids that do not exist', () => {
  const unknown = [
    randomUUID(),
    randomUUID().toUpperCase(),
    'abc',
    '0',
    '%00',
    '..%2Fx',
    '%2e%2e',
    '%F0%9F%92%BE',
    `{${randomUUID()}}`,
    randomUUID().replaceAll('-', ''),
    `${randomUUID()}%20`,
    "1'%20or%20'1'='1",
    'x'.repeat(100),
    'x'.repeat(101),
    'x'.repeat(5000),
  ]
  it.each(unknown.map((text) => [text.slice(0, 40), text]))(
    '%s is 404 on every route that takes an id',
    async (_shown, text) => {
      for (const [method, suffix] of [
        ['GET', ''],
        ['DELETE', ''],
        ['GET', '/artifact'],
        ['POST', '/cancel'],
      ] as const) {
        expectProblem(await ask(system.url, method, `/exports/${text}${suffix}`), 404)
      }
    },
  )

  it.each(['/exports/../x', '/exports/./', '/exports/', '/archives/', '/archives/services'])(
    '%s is 404',
    async (path) => {
      expectProblem(await ask(system.url, 'GET', path), 404)
    },
  )

  it('say which id it was', async () => {
    const { detail } = expectProblem(await ask(system.url, 'GET', '/exports/abc'), 404)
    expect(detail).toContain('"abc"')
  })

  it.each(['/exports/%', '/exports/%zz', '/exports/%ff', '/%', '/exports/%E0%A4%A/cancel'])(
    'bad percent-encoding is a problem of the client: %s',
    async (path) => {
      const answer = await ask(system.url, 'GET', path)
      expectProblem(answer, answer.status === 404 ? 404 : 400)
    },
  )

  it('have their X-Request-Id and their line in the log, too, when the path is unreadable', async () => {
    const answer = await ask(system.url, 'GET', '/exports/%zz')
    const requestId = String(answer.headers['x-request-id'])
    expect(requestId).toMatch(/^[\w.:-]{8,128}$/)
    await until(() => logged(requestId).length > 0, { timeoutMs: 2000 })
  })

  it.each([
    ['what there is', '/exports'],
    ['what there is not', '/nothing'],
    ['what the router refuses', '/exports/%zz'],
    ['a stream', `/genesys/1/cs/maintenance/services/stream?time_from=2030-01-01T00:00:00Z`],
    ['a stream that is refused', '/genesys/1/cs/maintenance/services/stream'],
  ])('%s is not for a browser to show, to guess at, or to frame', async (_what, path) => {
    const { headers } = await ask(system.url, 'GET', path)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers['referrer-policy']).toBe('no-referrer')
  })

  it('an id in capital letters is the same export, or none', async () => {
    const answer = await ask(system.url, 'GET', `/exports/${id.toUpperCase()}`)
    if (answer.status === 200) expect(expectExport(answer, 200).id).toBe(id)
    else expectProblem(answer, 404)
  })
})

describe('methods that a route does not have', () => {
  const routes: readonly (readonly [string, readonly string[]])[] = [
    ['/exports', ['GET', 'HEAD', 'POST']],
    ['/exports/:id', ['DELETE', 'GET', 'HEAD']],
    ['/exports/:id/artifact', ['GET', 'HEAD']],
    ['/exports/:id/cancel', ['POST']],
    ['/archives', ['GET', 'HEAD']],
    ['/archives/services/2026-03-29', ['GET', 'HEAD']],
    ['/healthz', ['GET', 'HEAD']],
    ['/readyz', ['GET', 'HEAD']],
    ['/openapi.json', ['GET', 'HEAD']],
  ]
  const all = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

  it.each(routes)('%s answers them with 405 and Allow', async (route, allowed) => {
    for (const method of all.filter((each) => !allowed.includes(each))) {
      const answer = await ask(system.url, method, route.replace(':id', id))
      expect({ method, status: answer.status }).toEqual({ method, status: 405 })
      expect(answer.headers.allow?.split(', ').sort()).toEqual(allowed)
      if (method !== 'HEAD') {
        expect(expectProblem(answer, 405, 'METHOD_NOT_ALLOWED').detail).toContain(method)
      }
    }
  })

  it.each(['PROPFIND', 'LOCK', 'PURGE'])('also answers %s with 405', async (method) => {
    expectProblem(await ask(system.url, method, '/exports'), 405)
  })

  it('answers 405 whatever the body is', async () => {
    const headers = { 'content-type': 'text/plain' }
    expectProblem(await ask(system.url, 'PUT', '/exports', { headers, body: '{}' }), 405)
    expectProblem(await ask(system.url, 'PUT', '/exports', { body: 'x'.repeat(70_000) }), 405)
  })

  it('answers HEAD like GET, without a body', async () => {
    for (const path of ['/exports', `/exports/${id}`, '/archives', '/healthz', '/openapi.json']) {
      const head = await ask(system.url, 'HEAD', path)
      expect([head.status, head.text]).toEqual([200, ''])
    }
  })
})

describe('X-Request-Id', () => {
  it('is echoed, and found in the log', async () => {
    const requestId = 'order-4711.a:b_c'
    const headers = { 'x-request-id': requestId }
    const answer = await post(system.url, '/exports', fixtureRange, headers)
    expect(answer.headers['x-request-id']).toBe(requestId)
    const line = await until(() =>
      logged(requestId).find((event) => event['status'] === answer.status),
    )
    expect(line).toMatchObject({ method: 'POST', path: '/exports', status: 202 })
    const { id: created } = expectExport(answer, 202)
    expect(logged(requestId).some((event) => event['export_id'] === created)).toBe(true)
  })

  it.each([undefined, '', 'two words', 'x'.repeat(1000), 'a"b', '{"a":1}'])(
    'is made when the caller has none, or none that is harmless in a log: %j',
    async (given) => {
      const headers: Record<string, string> = given === undefined ? {} : { 'x-request-id': given }
      const answers = await Promise.all(
        ['/exports', '/nothing', '/exports/abc'].map((path) =>
          ask(system.url, 'GET', path, { headers }),
        ),
      )
      const made = answers.map((answer) => String(answer.headers['x-request-id']))
      expect(new Set(made).size).toBe(3)
      for (const each of made) {
        expect(each).toMatch(/^[\w.:-]{8,128}$/)
        await until(() => logged(each).length > 0)
      }
    },
  )
})

describe('what is not even HTTP', () => {
  it.each([
    ['noise', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
    ['another version', 'GET /exports HTTP/9.9\r\nHost: x\r\n\r\n'],
    ['no Host', 'GET /exports HTTP/1.1\r\n\r\n'],
    [
      'a raw space in the path',
      'GET /exports/a b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    ],
    ['an absurd length', 'POST /exports HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
    [
      'two lengths',
      'POST /exports HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    ],
    [
      'a length and chunks',
      'POST /exports HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a broken header', 'GET /exports HTTP/1.1\r\nHost: x\r\nbroken\r\n\r\n'],
    ['huge headers', `GET /exports HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(50_000)}\r\n\r\n`],
  ])('%s gets a 4xx or a closed connection, and the server lives on', async (_what, bytes) => {
    const received = await askRaw(system.url, bytes)
    expect(received).toMatch(/^$|^HTTP\/1\.1 4\d\d /)
    expectNoInsides(received)
    expect((await ask(system.url, 'GET', '/healthz')).status).toBe(200)
  })

  it('a client that leaves in the middle of its body does no harm', async () => {
    const head = 'POST /exports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    const { hostname, port } = new URL(system.url)
    const { connect } = await import('node:net')
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(`${head}Content-Length: 100\r\n\r\n{"time_from"`, () => socket.destroy())
      })
      socket.on('close', () => resolve())
    })
    expect((await ask(system.url, 'GET', '/healthz')).status).toBe(200)
  })
})
