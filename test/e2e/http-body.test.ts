import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { ask, type AskOptions } from '../support/ask.ts'
import { countTraces } from '../support/exports-table.ts'
import { fixtureRange } from '../support/fixture-services.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { expectExport, expectProblem } from '../support/strictly.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

let system: TestSystem

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { worker: false })
})

const json = { 'content-type': 'application/json' }
const good = JSON.stringify(fixtureRange)
const maxBytes = 64 * 1024

const send = (options: AskOptions) => ask(system.url, 'POST', '/exports', options)

/** Sends what must be refused, and sees to it that nothing came of it. */
async function refused(status: number, options: AskOptions) {
  const before = await countTraces(system.database)
  const problem = expectProblem(await send(options), status)
  expect(await countTraces(system.database)).toEqual(before)
  return problem
}

describe('a body that is not a JSON object', () => {
  it.each([
    ['nothing', ''],
    ['white space', '  \n'],
    ['text', 'time_from=2014-07-22T12:00:00Z'],
    ['a cut object', good.slice(0, -1)],
    ['an object and more', `${good}{}`],
    ['a trailing comma', `${good.slice(0, -1)},}`],
    ['single quotes', good.replaceAll('"', "'")],
    ['NaN', '{"time_from": NaN}'],
    ['a raw line feed in a string', '{"time_from": "\n"}'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22])],
    ['UTF-16', Buffer.from(good, 'utf16le')],
  ])('%s is refused with 400', async (_what, body) => {
    const { detail } = await refused(400, { headers: json, body })
    expect(detail).toMatch(/JSON/)
  })

  it.each(['[]', `[${good}]`, '"2014-07-22"', 'null', '7', 'true'])(
    '%s is refused with 400, as a JSON object is expected',
    async (body) => {
      const { detail, code } = await refused(400, { headers: json, body })
      expect(code).toBe('SPEC_INVALID')
      expect(detail).toMatch(/expected a JSON object, got /)
    },
  )
})

describe('an object that means harm', () => {
  it.each([
    ['__proto__', `{"__proto__": {"filter_events": "started"}, ${good.slice(1)}`],
    ['__proto__, escaped', `{"__pr\\u006fto__": {"filter_state": "any"}, ${good.slice(1)}`],
    ['constructor.prototype', `{"constructor": {"prototype": {"a": 1}}, ${good.slice(1)}`],
    ['a deeply nested value', `{"time_from": ${'['.repeat(30_000)}${']'.repeat(30_000)}}`],
    ['deeply nested objects', `{"time_from": ${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}}`],
    ['a huge number', `{"time_from": ${'9'.repeat(1000)}}`],
    ['thousands of unknown keys', JSON.stringify(Object.fromEntries(keys(5000)))],
    ['an unpaired surrogate', '{"time_from": "\\ud800"}'],
  ])('%s is refused with 400', async (_what, body) => {
    const { detail } = await refused(400, { headers: json, body })
    // an answer must not be a mirror of any size
    expect(detail.length).toBeLessThan(64 * 1024)
  })

  it('does not let a key that is given twice become an error of the server', async () => {
    const body = `{"time_from": "2014-07-22T11:00:00Z", ${good.slice(1)}`
    const answer = await send({ headers: json, body })
    // JSON leaves it open; if it is accepted, the last one counts, and the answer shows it
    if (answer.status === 202) {
      expect(expectExport(answer, 202).request.time_from).toBe(fixtureRange.time_from)
    } else expectProblem(answer, 400)
  })
})

function keys(count: number): [string, number][] {
  return Array.from({ length: count }, (_, i) => [`k${i}`, i])
}

describe('the type of the body', () => {
  it.each(['application/json; charset=utf-8', 'Application/JSON'])('%s is JSON', async (type) => {
    expectExport(await send({ headers: { 'content-type': type }, body: good }), 202)
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonx',
    'json',
    '*/*',
    ';',
  ])('%s is refused with 415, naming what is expected', async (type) => {
    const { detail, code } = await refused(415, { headers: { 'content-type': type }, body: good })
    expect(code).toBe('UNSUPPORTED_MEDIA_TYPE')
    expect(detail).toContain('application/json')
  })

  it('none at all is refused with 415', async () => {
    expect((await refused(415, { body: good })).detail).toContain('application/json')
  })

  it('no body and no type is refused with 400', async () => {
    const { detail } = await refused(400, {})
    expect(detail).toMatch(/JSON object/)
  })

  it('a compressed body is refused', async () => {
    const headers = { ...json, 'content-encoding': 'gzip' }
    const answer = await send({ headers, body: gzipSync(good) })
    expectProblem(answer, answer.status === 415 ? 415 : 400)
  })
})

describe('the size of the body', () => {
  it('accepts 64 KiB', async () => {
    expectExport(await send({ headers: json, body: good.padEnd(maxBytes) }), 202)
  })

  it.each([
    ['with a length', false],
    ['in chunks', true],
  ])('refuses one byte more with 413, %s', async (_how, chunked) => {
    const { detail, code } = await refused(413, {
      headers: json,
      body: good.padEnd(maxBytes + 1),
      chunked,
    })
    expect(code).toBe('BODY_TOO_LARGE')
    expect(detail).toContain('64 KiB')
  })
})
