import type { ArtifactComparer, StoredArtifact } from '../archive/ports.ts'
import { decompress } from '../encode/compression.ts'
import { readElements } from '../encode/read-elements.ts'
import { identifierOf } from '../export/spec.ts'
import { countMissing } from './count-missing.ts'
import type { ArtifactReader } from './ports.ts'

/** Compares artifacts by reading both to their ends, side by side. */
export const compareArtifacts = (reader: ArtifactReader): ArtifactComparer => ({
  async countMissing(older, newer, { signal }) {
    const [olderChunks, newerChunks] = await Promise.all(
      [older, newer].map(({ key }) => reader.read(key, { signal })),
    )
    if (olderChunks === undefined || newerChunks === undefined) return undefined
    return countMissing(readIds(olderChunks, older.spec), readIds(newerChunks, newer.spec))
  },
})

async function* readIds(
  chunks: AsyncIterable<Buffer>,
  spec: StoredArtifact['spec'],
): AsyncGenerator<string> {
  const identify = identifierOf(spec)
  for await (const element of readElements(decompress(chunks, spec.compression), spec.format)) {
    yield identify(element)
  }
}
