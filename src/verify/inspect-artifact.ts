import { decompress, UnpackError, type Compression } from '../encode/compression.ts'
import { countElements } from '../encode/count-elements.ts'
import type { Format } from '../encode/format.ts'
import { createTally } from '../encode/tally.ts'

/** What is known of an artifact. Digests are SHA-256, lower-case hex. */
export interface ArtifactFacts {
  readonly rows: number
  /** As it is stored. */
  readonly bytes: number
  readonly sha256: string
  /** Unpacked. */
  readonly rawBytes: number
  readonly rawSha256: string
}

/** What was found, or why it cannot be read to its end. */
export type Inspection = ArtifactFacts | { readonly problem: string }

/** Reads an artifact anew: counts, digests, unpacks and parses all of it, and holds one row at a time. */
export async function inspectArtifact(
  chunks: AsyncIterable<Buffer>,
  { format, compression }: { readonly format: Format; readonly compression: Compression },
): Promise<Inspection> {
  const [stored, raw] = [createTally(), createTally()]
  try {
    const unpacked = raw.measure(decompress(stored.measure(chunks), compression))
    const { rows, problem } = await countElements(unpacked, format)
    if (problem !== undefined) return { problem }
    const [sha256, rawSha256] = [stored.sha256(), raw.sha256()]
    return { rows, bytes: stored.bytes, sha256, rawBytes: raw.bytes, rawSha256 }
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error
    return { problem: `cannot be unpacked after ${raw.bytes} bytes: ${error.message}` }
  }
}

const names = {
  ...{ rows: 'rows', bytes: 'bytes', sha256: 'SHA-256' },
  ...{ rawBytes: 'bytes unpacked', rawSha256: 'SHA-256 unpacked' },
} as const

/** What two accounts of an artifact do not agree in, each as `rows: 10 in the manifest, 9 in the object`. */
export function describeDifferences(
  [left, leftName]: readonly [Partial<ArtifactFacts>, string],
  [right, rightName]: readonly [Partial<ArtifactFacts>, string],
): readonly string[] {
  return (Object.keys(names) as (keyof typeof names)[]).flatMap((fact) => {
    const [one, other] = [left[fact], right[fact]]
    if (one === undefined || other === undefined || one === other) return []
    return [`${names[fact]}: ${one} in the ${leftName}, ${other} in the ${rightName}`]
  })
}
