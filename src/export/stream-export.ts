import { elementSeparator, encodeJsonArray } from '../encode/json-array.ts'
import type { ExportSpec } from './model.ts'
import type { RowSource } from './ports.ts'
import { readToEnd } from './read-to-end.ts'
import { queriesOf } from './spec.ts'

export interface ExportStream {
  /** The bytes that the artifact of the same spec would have; to be read once. */
  readonly chunks: AsyncIterable<Buffer>
  /** Ends the query, read or not; safe to call again. Never throws. */
  close(): Promise<void>
}

/**
 * Reads an export straight through, for a caller who waits for it: no record, no artifact, nothing
 * kept. Returns once the first chunk is there, so that what goes wrong before (no source, no such
 * table, a wrong document at the beginning) is an error instead of a broken stream.
 * @param signal ends the query on the server, too
 * @throws SpecError, SourceError, EncodeError, or the signal's reason; reading the chunks throws the same
 */
export async function openExportStream(
  { source }: { readonly source: RowSource },
  spec: ExportSpec,
  { signal }: { readonly signal: AbortSignal },
): Promise<ExportStream> {
  const queries = queriesOf(spec)
  const snapshot = await source.open({ signal })
  try {
    const encoded = encodeJsonArray(readToEnd(snapshot, queries, { separator: elementSeparator }))
    const first = await encoded.next()
    return { chunks: resumed(first, encoded), close: () => snapshot.close() }
  } catch (error) {
    await snapshot.close()
    throw error
  }
}

/** The whole sequence again, of which the first element was taken already. */
async function* resumed(
  first: IteratorResult<Buffer, unknown>,
  rest: AsyncGenerator<Buffer>,
): AsyncGenerator<Buffer> {
  if (first.done === true) return
  yield first.value
  yield* rest
}
