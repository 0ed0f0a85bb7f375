import { describe, expect, it } from 'vitest'
import { countElements } from '../../src/encode/count-elements.ts'
import type { Format } from '../../src/encode/format.ts'

/** However the bytes come, the count is the same. */
async function count(text: string | Buffer, format: Format) {
  const bytes = Buffer.from(text)
  const results = []
  for (const size of [1, 7, bytes.length + 1]) {
    // eslint-disable-next-line @typescript-eslint/require-await
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    results.push(await countElements(chunks(), format))
  }
  expect(results[1]).toEqual(results[0])
  expect(results[2]).toEqual(results[0])
  return results[0]!
}

describe('lines', () => {
  it.each([
    ['', 0],
    ['"a"\n', 1],
    ['{"a":"[\\n,"}\n"ü"\n{"b":[1,\r2]}\n', 3],
  ])('%j are %i', async (text, rows) => {
    expect(await count(text, 'ndjson')).toEqual({ rows })
  })

  it.each([
    ['{"a":1}\n{"b":2', 1, 'it ends within element 2'],
    ['{"a":1}\n{"b":2}', 1, 'it ends within element 2'],
    ['{"a":1}\n\n{"b":2}\n', 1, 'element 2 is no JSON'],
    ['{"a":1}{"b":2}\n', 0, 'element 1 is no JSON'],
    ['\ufeff"a"\n', 0, 'element 1 is no JSON'],
  ])('%j are not whole', async (text, rows, problem) => {
    expect(await count(text, 'ndjson')).toEqual({ rows, problem })
  })

  it('of bytes that are no UTF-8 are none', async () => {
    const text = Buffer.from([0x22, 0xc3, 0x28, 0x22, 0x0a])
    expect(await count(text, 'ndjson')).toEqual({ rows: 0, problem: 'element 1 is no JSON' })
  })
})

describe('an array', () => {
  it.each([
    ['[]', 0],
    ['["a"]', 1],
    ['["a",\n"b"]', 2],
    ['[{"a":["]"]},\n{"b":"[,"},\n1]', 3],
  ])('%j has %i', async (text, rows) => {
    expect(await count(text, 'json')).toEqual({ rows })
  })

  it.each([
    ['', 0, 'it does not begin with ['],
    ['"a"', 0, 'it does not begin with ['],
    ['[', 0, 'it ends within element 1'],
    ['["a",\n"b"', 1, 'it ends within element 2'],
    ['["a",\n"b"]\n', 1, 'it ends within element 2'],
    ['["a",\n]', 1, 'element 2 is no JSON'],
    ['[,\n"a"]', 0, 'element 1 is no JSON'],
    ['["a"\n"b"]', 0, 'it ends within element 1'],
  ])('%j is not whole', async (text, rows, problem) => {
    expect(await count(text, 'json')).toEqual({ rows, problem })
  })
})
