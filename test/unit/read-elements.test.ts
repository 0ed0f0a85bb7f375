import { expect, it } from 'vitest'
import { encodings, type Format } from '../../src/encode/format.ts'
import { readElements } from '../../src/encode/read-elements.ts'

const rows: readonly (readonly unknown[])[] = [
  [],
  ['a'],
  ['a,', 'b]', '[c', ''],
  [{ id: 'ü\n,]', list: [1, [2]] }, 7, null, 'z'],
]

// eslint-disable-next-line @typescript-eslint/require-await
async function* blocksOf(elements: readonly unknown[], separator: string) {
  for (const element of elements) {
    yield { bytes: Buffer.from(JSON.stringify(element) + separator), rows: 1 }
  }
}

async function* cut(chunks: AsyncIterable<Buffer>, size: number) {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += size) yield chunk.subarray(at, at + size)
  }
}

it.each(
  (['json', 'ndjson'] as const satisfies readonly Format[]).flatMap((format) =>
    rows.flatMap((elements) => [1, 3, 1000].map((size) => [format, elements, size] as const)),
  ),
)('reads from %s what was written: %j, in chunks of %i', async (format, elements, size) => {
  const encoding = encodings[format]
  const chunks = cut(encoding.encode(blocksOf(elements, encoding.separator)), size)
  const found: unknown[] = []
  for await (const element of readElements(chunks, format)) found.push(element)
  expect(found).toEqual(elements)
})
