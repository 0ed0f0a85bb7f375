import { describe, expect, it } from 'vitest'
import { encodeJsonArray } from '../../src/encode/json-array.ts'
import { blockOf } from '../support/row-blocks.ts'
import { KiB, MiB } from '../../src/runtime/units.ts'

async function* blocksOf(batches: readonly (readonly string[])[]) {
  for (const batch of batches) if (batch.length > 0) yield await Promise.resolve(blockOf(batch))
}

async function encode(...batches: readonly (readonly string[])[]): Promise<readonly Buffer[]> {
  const chunks: Buffer[] = []
  for await (const chunk of encodeJsonArray(blocksOf(batches))) chunks.push(chunk)
  return chunks
}
const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString()

describe('a JSON array', () => {
  it.each([
    ['no batch', [], '[]'],
    ['an empty batch', [[]], '[]'],
    ['one element', [['"S1"']], '["S1"]'],
    ['several in one batch', [['1', '2', '3']], '[1,\n2,\n3]'],
    ['several batches', [['1'], [], ['2', '3'], []], '[1,\n2,\n3]'],
    ['text beyond ASCII', [['"ü"', '"日本😀"']], '["ü",\n"日本😀"]'],
  ])('of %s has exactly these bytes', async (_title, batches, expected) => {
    expect(text(await encode(...batches))).toBe(expected)
  })

  it('has the same bytes however the rows are batched', async () => {
    const rows = Array.from({ length: 5000 }, (_, i) =>
      JSON.stringify({ i, pad: 'é'.repeat(i % 300) }),
    )
    const expected = `[${rows.join(',\n')}]`
    for (const size of [1, 7, 2000, 5000]) {
      const batches = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
        rows.slice(i * size, (i + 1) * size),
      )
      const chunks = await encode(...batches)
      expect(text(chunks)).toBe(expected)
      expect(JSON.parse(text(chunks))).toHaveLength(5000)
    }
  })

  it('comes in chunks as large as the blocks', async () => {
    const blocks = [['1', '2'], ['3'], ['4', '5']]
    const chunks = await encode(...blocks)
    expect(chunks.map(String)).toEqual(['[', '1,\n2,\n', '3,\n', '4,\n5', ']'])
  })

  it('ends properly when the last row just fills a chunk', async () => {
    const element = `"${'x'.repeat(256 * KiB - 2)}"`
    expect(text(await encode([element]))).toBe(`[${element}]`)
    expect(text(await encode([element, element]))).toBe(`[${element},\n${element}]`)
    expect(text(await encode([element], ['1'], [element]))).toBe(`[${element},\n1,\n${element}]`)
  })

  it('takes an element far larger than a chunk', async () => {
    const huge = `"${'ü'.repeat(3 * MiB)}"`
    const chunks = await encode(['1', huge, '2'])
    expect(text(chunks) === `[1,\n${huge},\n2]`).toBe(true)
  })

  it('yields nothing before there is a block, and then does not wait for the next', async () => {
    let batches = 0
    async function* counted() {
      for (;;) {
        batches++
        yield await Promise.resolve(blockOf([`"${'x'.repeat(300 * KiB)}"`]))
      }
    }
    const chunks = encodeJsonArray(counted())
    await chunks.next()
    expect(batches).toBe(1)
    await chunks.return(undefined)
  })

  it('closes its source when it is left early', async () => {
    let closed = false
    async function* endless() {
      try {
        for (;;) yield await Promise.resolve(blockOf([`"${'x'.repeat(300 * KiB)}"`]))
      } finally {
        closed = true
      }
    }
    for await (const chunk of encodeJsonArray(endless())) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect(closed).toBe(true)
  })
})
