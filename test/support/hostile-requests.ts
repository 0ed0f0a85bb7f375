/** Requests as nobody should send them, for fast-check to make and to shrink. */
import fc from 'fast-check'

export interface HostileRequest {
  readonly method: string
  readonly path: string
  /** Names may come twice. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
}

/** What a request may know that is true: ids of exports, keys. */
export interface Known {
  readonly ids: readonly string[]
  readonly authorizations: readonly string[]
}

const one = <T>(...values: readonly T[]) => fc.constantFrom(...values)

/** Text that may stand in a path or header: neither a line's end nor a blank. */
const token = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((n) => String.fromCharCode(n)),
  maxLength: 30,
})

const times = one(
  ...[
    '2014-07-22T12:00:00Z',
    '2030-01-01T00:00:00.000Z',
    '2014-07-22T12:00:00+02:00',
    '2014-07-22',
  ],
  ...[
    '2014-07-22T12:00:00',
    '9999-12-31T23:59:59Z',
    '0000-01-01T00:00:00Z',
    '-1',
    '1e400',
    'now',
    '',
  ],
  ...[
    '2014-02-30T00:00:00Z',
    '2014-07-22T25:00:00Z',
    '2014-07-22T12:00:00.1234567Z',
    "';--",
    '\u0000',
  ],
)
const words = one(
  'any',
  'started',
  'completed',
  'active',
  'inactive',
  'true',
  'false',
  'gzip',
  'services',
)
const names = one(
  ...['time_from', 'time_to', 'filter_events', 'export_content', 'filter_state', 'dataset'],
  ...['compression', 'state', 'limit', 'cursor', '__proto__', 'constructor', 'toString', 'wait'],
)
/** `wait` is short: long ones are answered when they are over. */
const valueOf = (name: string) =>
  name === 'wait' ? one('0', '1', '61', '-1', 'x') : fc.oneof(times, words, token)
const pair = names.chain((name) => fc.tuple(fc.constant(name), valueOf(name)))
const query = fc
  .array(pair, { maxLength: 6 })
  .map((pairs) => pairs.map((each) => each.map(encodeURIComponent).join('=')).join('&'))

const segments = (ids: readonly string[]) =>
  fc.oneof(
    one(
      ...ids,
      '00000000-0000-4000-8000-000000000000',
      'artifact',
      'cancel',
      'exports',
      '..',
      '.',
      '',
    ),
    one(
      '%2e%2e',
      '%00',
      '%2f',
      '%',
      '%zz',
      '%ff',
      '%C0%AF',
      '\\',
      '~',
      'x'.repeat(3000),
      '%F0%9F%9A%9A',
    ),
    token.map((text) => text.replaceAll('?', '_').replaceAll('#', '_')),
  )
const paths = (ids: readonly string[]) => {
  const [id = ''] = ids
  const real = one(
    ...['/exports', `/exports/${id}`, `/exports/${id}/artifact`, `/exports/${id}/cancel`],
    ...['/healthz', '/readyz', '/metrics', '/openapi.json', '*', 'http://other/exports'],
    '/genesys/1/cs/maintenance/services/stream',
  )
  const made = fc.array(segments(ids), { maxLength: 5 }).map((all) => `/${all.join('/')}`)
  return fc
    .tuple(fc.oneof({ weight: 3, arbitrary: real }, made), fc.option(fc.oneof(query, token)))
    .map(([path, given]) => (given === null ? path : `${path}?${given}`))
}

const headers = (authorizations: readonly string[]) =>
  fc.array(
    fc.oneof(
      fc.tuple(fc.constant('Authorization'), fc.oneof(one(...authorizations), token)),
      fc.tuple(one('Idempotency-Key', 'If-None-Match', 'X-Request-Id', 'ContactCenterId'), token),
      fc.tuple(
        fc.constant('Prefer'),
        one('respond-async', 'wait=10', 'respond-async, return=minimal'),
      ),
      fc.tuple(fc.constant('Accept-Encoding'), one('gzip', 'gzip;q=0', 'br, *', ';;,q=')),
      fc.tuple(
        fc.constant('Content-Type'),
        one('application/json', 'application/json; charset=x', 'text/xml', ';'),
      ),
      fc.tuple(
        fc.constant('Content-Length'),
        one('0', '5', '-1', '99999999999999999999', '1, 2', 'x'),
      ),
      fc.tuple(fc.constant('Transfer-Encoding'), one('chunked', 'gzip, chunked', 'x')),
      fc.tuple(one('Range', 'Expect', 'Upgrade', 'Host', 'Connection', 'X'), token),
      fc.tuple(fc.constant('Expect'), fc.constant('100-continue')),
      fc.tuple(fc.constant('X-Long'), one('x'.repeat(2000), 'x'.repeat(20_000))),
      fc.tuple(token, token),
    ),
    { maxLength: 6 },
  )

/** Requests for exports, right and nearly right. */
const spec = fc.dictionary(
  names,
  fc.oneof(
    times,
    words,
    fc.boolean(),
    fc.double(),
    fc.constant(null),
    fc.array(words),
    fc.object(),
  ),
)
const deep = fc.integer({ min: 1, max: 5000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth))
const bodies = fc.oneof(
  { weight: 4, arbitrary: spec.map((each) => Buffer.from(JSON.stringify(each))) },
  one(
    Buffer.from('{"time_from":"2014-07-22T12:00:00Z","time_to":"2014-07-22T18:00:00Z"}'),
    Buffer.from('{"__proto__":{"admin":true}}'),
    Buffer.alloc(0),
    Buffer.alloc(70_000, '['),
  ),
  deep.map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
)

/** Well-formed enough to reach a route, most of them. */
export const hostileRequest = ({ ids, authorizations }: Known): fc.Arbitrary<HostileRequest> =>
  fc.record({
    method: fc.oneof(
      { weight: 8, arbitrary: one('GET', 'POST', 'DELETE', 'HEAD') },
      one('PUT', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY', 'get', 'X'),
    ),
    path: paths(ids),
    headers: headers(authorizations),
    body: bodies,
  })

/** A request that is as it should be, whatever its answer. */
export const orderlyRequest = ({ ids, authorizations }: Known): fc.Arbitrary<HostileRequest> =>
  fc
    .record({
      method: one('GET', 'HEAD'),
      path: one('/exports?limit=1', `/exports/${ids[0]}`, '/exports/none', '/healthz', '/nowhere'),
      authorization: one(...authorizations),
    })
    .map(({ method, path, authorization }) => ({
      ...{ method, path, body: Buffer.alloc(0) },
      headers: [['Authorization', authorization]],
    }))

/** Several requests on one connection, all sent at once, each with a number of its own as its id. */
export function pipelineOf(requests: readonly HostileRequest[]): Buffer {
  const last = requests.length - 1
  return Buffer.concat(
    requests.map(({ headers: given, ...request }, number) =>
      bytesOf({
        ...request,
        headers: [
          ...given.filter(([name]) => !/^(connection|x-request-id)$/i.test(name)),
          ...[['X-Request-Id', `n-${number}`] as const],
          ...[['Connection', number === last ? 'close' : 'keep-alive'] as const],
        ],
      }),
    ),
  )
}

/** As bytes; the length is right unless a header lies about it. */
export function bytesOf({ method, path, headers: given, body }: HostileRequest): Buffer {
  const named = (name: string) => given.some(([each]) => each.toLowerCase() === name)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...(named('host') ? [] : ['Host: x']),
    ...(named('content-type') ? [] : ['Content-Type: application/json']),
    ...(named('content-length') || named('transfer-encoding')
      ? []
      : [`Content-Length: ${body.length}`]),
    ...given.map(([name, value]) => `${name}: ${value}`),
    ...(named('connection') ? [] : ['Connection: close']),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body])
}

/** Bytes that are no request, or only the beginning of one, or one with something changed. */
export const hostileBytes = (known: Known): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(hostileRequest(known).map(bytesOf), fc.nat(), fc.uint8Array({ maxLength: 4 }))
      .map(([bytes, at, changed]) => {
        const place = at % bytes.length
        return Buffer.concat([
          bytes.subarray(0, place),
          changed,
          bytes.subarray(place + changed.length),
        ])
      }),
    fc
      .tuple(hostileRequest(known).map(bytesOf), fc.nat())
      .map(([bytes, at]) => bytes.subarray(0, 1 + (at % bytes.length))),
  )
