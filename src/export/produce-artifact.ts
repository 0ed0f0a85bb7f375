import type { DatasetQuery } from '../datasets/dataset.ts'
import { compress } from '../encode/compression.ts'
import { artifactFormat, encodings } from '../encode/format.ts'
import { createTally, type Tally } from '../encode/tally.ts'
import type { Artifact, ExportRecord } from './model.ts'
import { objectKey } from './object-key.ts'
import type { ArtifactStore, PutOptions, RowBlock } from './ports.ts'

export interface ProduceArtifactDeps {
  readonly artifacts: Pick<ArtifactStore, 'put'>
  readonly settings: { readonly keyPrefix: string }
}

export interface ProduceArtifactOptions extends Pick<PutOptions, 'signal'> {
  /** Of rows and JSON. */
  readonly tally: Tally
  /** Guess of the JSON's size; what is packed has less. */
  readonly estimatedBytes: number | undefined
}

/** A guess of the artifact's size, bytes, generous: too large a part costs memory, too many cost the export. */
export const estimateBytes = (
  queries: readonly DatasetQuery[],
  estimatedRows: number | undefined,
): number | undefined =>
  estimatedRows === undefined
    ? undefined
    : estimatedRows * Math.max(...queries.map(({ rowBytes }) => rowBytes))

/**
 * Rows to bytes to object: counted and digested as they pass, held nowhere.
 * @throws what the rows fail with, StoreError, EncodeError, or the signal's reason
 */
export async function produceArtifact(
  { artifacts, settings }: ProduceArtifactDeps,
  record: ExportRecord,
  rows: AsyncIterable<RowBlock>,
  { tally, ...options }: ProduceArtifactOptions,
): Promise<Artifact> {
  const { format, compression } = record.spec
  const { contentType } = artifactFormat(format, compression)
  const store = (chunks: AsyncIterable<Buffer>) =>
    artifacts.put(objectKey(settings.keyPrefix, record), chunks, { contentType, ...options })

  const json = tally.measure(encodings[format].encode(tally.countRows(rows)))
  if (compression === 'none') {
    const stored = await store(json)
    return { ...stored, rows: tally.rows, sha256: tally.sha256(), contentType }
  }
  const packed = createTally()
  const stored = await store(packed.measure(compress(json, compression)))
  const raw = { rawBytes: tally.bytes, rawSha256: tally.sha256() }
  return { ...stored, rows: tally.rows, sha256: packed.sha256(), contentType, ...raw }
}
