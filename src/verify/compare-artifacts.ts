import type { ArtifactComparer, StoredArtifact } from '../archive/ports.ts'
import { decompress, UnpackError } from '../encode/compression.ts'
import { readElements } from '../encode/read-elements.ts'
import { StoreError } from '../errors.ts'
import { identifierOf } from '../export/spec.ts'
import { countMissing } from './count-missing.ts'
import type { ArtifactReader } from './ports.ts'

/** Compares artifacts by reading both to their ends, side by side. */
export const compareArtifacts = (reader: ArtifactReader): ArtifactComparer => ({
  countMissing(older, newer, { signal }) {
    return countMissing(readIds(reader, older, signal), readIds(reader, newer, signal))
  },
})

async function* readIds(
  reader: ArtifactReader,
  { key, spec }: StoredArtifact,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const corrupt = (what: string) =>
    new StoreError('ARCHIVE_CORRUPT', `The artifact ${key} ${what}.`, {
      hint: 'Put it back from a copy or an earlier version of the object.',
    })
  const chunks = await reader.read(key, { signal })
  if (chunks === undefined) throw corrupt('is not there')
  const identify = identifierOf(spec)
  try {
    for await (const element of readElements(decompress(chunks, spec.compression), spec.format)) {
      yield identify(element)
    }
  } catch (error) {
    if (error instanceof UnpackError || error instanceof SyntaxError) {
      throw corrupt('cannot be read as it was written')
    }
    throw error
  }
}
