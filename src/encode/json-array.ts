/** What stands behind each element, in the blocks that `encodeJsonArray` takes. */
export const elementSeparator = ',\n'

/**
 * Frames JSON texts as one array: `[`, the elements joined by `,` and a line feed, `]`, nothing after
 * it. Yields nothing before there is a block, or none to come.
 * @param blocks each one or more elements, each with `elementSeparator` behind it
 */
export async function* encodeJsonArray(
  blocks: AsyncIterable<{ readonly bytes: Buffer }>,
): AsyncGenerator<Buffer> {
  let last: Buffer | undefined
  for await (const { bytes } of blocks) {
    yield last ?? Buffer.from('[')
    last = bytes
  }
  if (last === undefined) {
    yield Buffer.from('[]')
    return
  }
  // no separator behind the last element
  yield last.subarray(0, last.length - elementSeparator.length)
  yield Buffer.from(']')
}
