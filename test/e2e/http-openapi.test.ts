import { beforeAll, describe, expect, it } from 'vitest'
import { version } from '../../src/version.ts'
import { ask } from '../support/ask.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { startTestSystem, type TestSystem } from '../support/system.ts'

type Json = Readonly<Record<string, unknown>>

let system: TestSystem
let document: Json

const release = releaseAfterAll()
beforeAll(async () => {
  system = await startTestSystem(release, { worker: false })
  document = (await ask(system.url, 'GET', '/openapi.json')).json as Json
})

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']
const object = (value: unknown): Json => (value ?? {}) as Json

/** Every object inside `value`, itself included. */
function* objects(value: unknown): Generator<Json> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as Json
  for (const inner of Object.values(value)) yield* objects(inner)
}

interface Operation {
  readonly name: string
  readonly path: string
  readonly operation: Json
}

const operations = (): readonly Operation[] =>
  Object.entries(object(document['paths'])).flatMap(([path, item]) =>
    Object.entries(object(item))
      .filter(([key]) => methods.includes(key))
      .map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        path,
        operation: object(operation),
      })),
  )

const responses = ({ operation }: Operation) =>
  Object.entries(object(operation['responses'])).map(([status, response]) => ({
    status,
    response: object(response),
    types: Object.keys(object(object(response)['content'])),
  }))

/** What `#/components/…` points at. */
const referenced = ($ref: string): unknown =>
  $ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, step) => object(at)[step], document)

describe('/openapi.json', () => {
  it('is OpenAPI 3.1 of this version', () => {
    expect(document['openapi']).toMatch(/^3\.1\.\d+$/)
    expect(object(document['info'])).toMatchObject({ title: 'Longhaul', version })
    expect(Object.keys(document)).not.toContain('swagger')
  })

  it('has every route', () => {
    expect(operations().map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'POST /exports',
        'GET /exports',
        'GET /exports/{id}',
        'GET /exports/{id}/artifact',
        'POST /exports/{id}/cancel',
        'DELETE /exports/{id}',
        'GET /archives',
        'GET /archives/{archive}/{window}',
        'GET /healthz',
        'GET /readyz',
        'GET /genesys/1/cs/maintenance/services/stream',
      ]),
    )
  })

  it('resolves every reference', () => {
    for (const { $ref } of objects(document)) {
      if (typeof $ref !== 'string') continue
      expect($ref).toMatch(/^#\//)
      expect(referenced($ref), $ref).toBeDefined()
    }
  })

  it('declares the parameters of every path, as required', () => {
    for (const { name, path, operation } of operations()) {
      const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
      const declared = ((operation['parameters'] ?? []) as Json[]).filter((p) => p['in'] === 'path')
      expect({ name, declared: declared.map((p) => p['name']) }).toEqual({ name, declared: names })
      for (const parameter of declared) expect(parameter['required']).toBe(true)
    }
  })

  it('gives every parameter a place and a schema, once', () => {
    for (const { operation } of operations()) {
      const parameters = (operation['parameters'] ?? []) as Json[]
      for (const parameter of parameters) {
        expect(['path', 'query', 'header']).toContain(parameter['in'])
        expect(parameter['schema']).toBeTypeOf('object')
      }
      const keys = parameters.map((p) => `${String(p['in'])} ${String(p['name'])}`)
      expect(new Set(keys).size).toBe(keys.length)
    }
  })

  it('says what every operation does and answers', () => {
    for (const each of operations()) {
      expect(each.operation['summary'], each.name).toBeTypeOf('string')
      expect(responses(each).length, each.name).toBeGreaterThan(0)
      for (const { status, response } of responses(each)) {
        expect(status).toMatch(/^([1-5](\d\d|XX)|default)$/)
        expect(response['description'], `${each.name} ${status}`).toBeTypeOf('string')
      }
    }
  })

  it('asks for the parameters of the operation, and no others', () => {
    const { operation } = operations().find(({ name }) => name === 'POST /exports')!
    const body = object(operation['requestBody'])
    expect(body['required']).toBe(true)
    const content = object(body['content'])
    expect(Object.keys(content)).toEqual(['application/json'])
    const { $ref } = object(object(content['application/json'])['schema'])
    const schema = object(referenced(String($ref)))
    expect(schema['required']).toEqual(['time_from'])
    expect(schema['additionalProperties']).toBe(false)
    const properties = object(schema['properties'])
    expect(Object.keys(properties).sort()).toEqual([
      'compression',
      'dataset',
      'export_content',
      'filter_events',
      'filter_state',
      'format',
      'time_from',
      'time_to',
    ])
    expect(properties).toMatchObject({
      dataset: { type: 'string', default: 'services' },
      time_from: { type: 'string' },
      filter_events: { enum: ['any', 'started', 'completed'], default: 'any' },
      export_content: { type: 'boolean', default: false },
      filter_state: { enum: ['any', 'active', 'inactive'], default: 'any' },
      format: { enum: ['json', 'ndjson'], default: 'json' },
      compression: { enum: ['none', 'gzip', 'zstd'], default: 'none' },
    })
    expect(object(properties['time_from'])['default']).toBeUndefined()
    expect(object(properties['time_to'])['default']).toBeUndefined()
  })

  it('names the answers that design.md promises', () => {
    const promised: Readonly<Record<string, readonly string[]>> = {
      'POST /exports': ['202', '400', '413', '415'],
      'GET /exports': ['200', '400'],
      'GET /exports/{id}': ['200', '404'],
      'GET /exports/{id}/artifact': ['302', '404', '409', '410'],
      'POST /exports/{id}/cancel': ['200', '202', '404', '409'],
      'DELETE /exports/{id}': ['204', '404', '409'],
      'GET /archives': ['200'],
      'GET /archives/{archive}/{window}': ['200', '404'],
    }
    for (const each of operations()) {
      const statuses = responses(each).map(({ status }) => status)
      expect(statuses, each.name).toEqual(expect.arrayContaining([...(promised[each.name] ?? [])]))
    }
  })

  it('has no content where an answer has none', () => {
    for (const each of operations()) {
      for (const { status, types } of responses(each)) {
        if (status === '204' || status === '302')
          expect(types, `${each.name} ${status}`).toEqual([])
      }
    }
  })

  it('gives problems the media type that they are sent with', () => {
    for (const each of operations()) {
      for (const { status, types } of responses(each)) {
        if (!/^[45]/.test(status)) continue
        // the original operation has errors of its own shape
        // what it answers is a state, whatever it is
        if (each.path === '/readyz') continue
        const original = each.path.startsWith('/genesys/')
        const type = original ? 'application/json' : 'application/problem+json'
        expect(types, `${each.name} ${status}`).toEqual([type])
      }
    }
  })

  it('is the same document each time, as JSON', async () => {
    const answer = await ask(system.url, 'GET', '/openapi.json')
    expect(answer.headers['content-type']).toMatch(/^application\/json\b/)
    expect(answer.json).toEqual(document)
  })
})

describe('/healthz', () => {
  it('says that the process is alive', async () => {
    const answer = await ask(system.url, 'GET', '/healthz')
    expect([answer.status, answer.json]).toEqual([200, { status: 'ok' }])
  })
})
