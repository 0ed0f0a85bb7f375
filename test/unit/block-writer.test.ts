import { describe, expect, it } from 'vitest'
import { createBlockWriter } from '../../src/postgres/block-writer.ts'
import { KiB } from '../../src/runtime/units.ts'

const separator = ',\n'

/** What is taken after each text, or only at the end. */
function write(texts: readonly string[], takeEach = false) {
  const writer = createBlockWriter(separator)
  const blocks = texts.flatMap((text) => {
    writer.write(text, 1)
    return takeEach ? writer.take() : []
  })
  return [...blocks, ...writer.take()]
}
const joined = (blocks: ReturnType<typeof write>) =>
  Buffer.concat(blocks.map(({ bytes }) => bytes)).toString()

describe('blocks', () => {
  it.each([
    ['nothing', []],
    ['one', ['"S1"']],
    ['text beyond ASCII', ['"ü"', '"日本😀"', '"é"']],
    ['one much larger than a block', ['1', `"${'ü'.repeat(400 * KiB)}"`, '2']],
    ['many', Array.from({ length: 20_000 }, (_, n) => `"${'é'.repeat(n % 100)}${n}"`)],
    ['what just fills one', [`"${'x'.repeat(256 * KiB - 4)}"`, '1']],
    ['what is one byte too large', [`"${'x'.repeat(256 * KiB - 3)}"`, '1']],
  ])('hold each text with its separator: %s', (_what, texts) => {
    for (const takeEach of [false, true]) {
      const blocks = write(texts, takeEach)
      expect(joined(blocks) === texts.map((text) => text + separator).join('')).toBe(true)
      expect(blocks.reduce((sum, { rows }) => sum + rows, 0)).toBe(texts.length)
      expect(blocks.every(({ rows, bytes }) => rows > 0 && bytes.length > 0)).toBe(true)
    }
  })

  it('count the rows that a text has', () => {
    const writer = createBlockWriter(separator)
    writer.write('1,\n2,\n3', 3)
    writer.write('4', 1)
    expect(writer.take().map(({ bytes, rows }) => [bytes.toString(), rows])).toEqual([
      ['1,\n2,\n3,\n4,\n', 4],
    ])
    expect(writer.take()).toEqual([])
  })

  it('that are small share their memory, and never a byte of it', () => {
    const blocks = write(['1', '22', '333'], true)
    expect(blocks.map(({ bytes }) => bytes.toString())).toEqual(['1,\n', '22,\n', '333,\n'])
    expect(new Set(blocks.map(({ bytes }) => bytes.buffer)).size).toBe(1)
  })
})
