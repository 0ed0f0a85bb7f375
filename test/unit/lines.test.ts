import { expect, it } from 'vitest'
import { encodeLines } from '../../src/encode/lines.ts'

async function encode(...blocks: readonly string[]): Promise<string> {
  async function* given() {
    for (const block of blocks) yield await Promise.resolve({ bytes: Buffer.from(block) })
  }
  const chunks: Buffer[] = []
  for await (const chunk of encodeLines(given())) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

it('lines are an empty file without any, and end with a line feed each', async () => {
  expect(await encode()).toBe('')
  expect(await encode('"S1"\n', '"ü"\n"😀"\n')).toBe('"S1"\n"ü"\n"😀"\n')
})
