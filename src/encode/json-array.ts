import { KiB } from '../runtime/units.ts'

/** A chunk is passed on as soon as it holds this many UTF-16 units: large enough to hash and copy cheaply. */
const chunkLength = 256 * KiB

/**
 * Frames JSON texts as one array: `[`, the elements joined by `,` and a line feed, `]`, nothing after
 * it. Yields chunks of UTF-8, of about 256 KiB unless one element is larger. Always yields at least `[]`.
 */
export async function* encodeJsonArray(
  batches: AsyncIterable<readonly string[]>,
): AsyncGenerator<Buffer> {
  let pending: string[] = []
  let pendingLength = 0
  let lead = '['
  for await (const batch of batches) {
    for (const element of batch) {
      pending.push(element)
      pendingLength += element.length
      if (pendingLength >= chunkLength) {
        yield Buffer.from(lead + pending.join(',\n'))
        lead = ',\n'
        pending = []
        pendingLength = 0
      }
    }
  }
  const tail = pending.length > 0 ? lead + pending.join(',\n') : lead === '[' ? lead : ''
  yield Buffer.from(`${tail}]`)
}
