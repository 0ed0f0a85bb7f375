/**
 * The same bytes in buffers of one size, the last one excepted, however they come: what depends on where bytes are
 * cut is then the same each time. Nothing for nothing.
 * @param room gives the next buffer to fill; by default a new one
 */
export async function* cutBytes(
  chunks: AsyncIterable<Buffer>,
  size: number,
  room: () => Buffer = () => Buffer.allocUnsafeSlow(size),
): AsyncGenerator<Buffer> {
  let piece: Buffer | undefined
  let filled = 0
  for await (const chunk of chunks) {
    for (let taken = 0; taken < chunk.length;) {
      piece ??= room()
      const copied = chunk.copy(piece, filled, taken)
      filled += copied
      taken += copied
      if (filled < size) continue
      yield piece
      piece = undefined
      filled = 0
    }
  }
  if (piece !== undefined) yield piece.subarray(0, filled)
}
