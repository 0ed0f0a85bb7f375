/**
 * Frames JSON texts as lines, one behind the other: nothing before the first, a line feed behind each. Without any
 * it yields nothing: an empty file.
 * @param blocks each one or more elements, each with a line feed behind it, and with none in it
 */
export async function* encodeLines(
  blocks: AsyncIterable<{ readonly bytes: Buffer }>,
): AsyncGenerator<Buffer> {
  for await (const { bytes } of blocks) yield bytes
}
