import type { ExportRecord, ExportSpec } from '../export/model.ts'
import { queriesOf } from '../export/spec.ts'
import { describeDifferences, inspectArtifact, type ArtifactFacts } from './inspect-artifact.ts'
import type { ArtifactReader, RowCounter } from './ports.ts'

export interface VerifyDeps {
  readonly reader: ArtifactReader
  /** Absent: the source is not asked. */
  readonly counter?: RowCounter | undefined
}

/** What was found out about one artifact. */
export interface Verdict {
  /** None: all agrees. */
  readonly problems: readonly string[]
  readonly rows?: number
  readonly bytes?: number
  /** Of the source now. */
  readonly sourceRows?: number
}

/** An artifact as somebody states it. */
export interface StatedArtifact {
  /** Who does: `manifest`, `record`. */
  readonly by: string
  readonly key: string
  readonly spec: ExportSpec
  readonly facts: Partial<ArtifactFacts>
}

/** Reads an artifact and, if it is to be asked, the source, and compares. @throws StoreError, SourceError, the signal's reason */
export async function verifyArtifact(
  { reader, counter }: VerifyDeps,
  { by, key, spec, facts }: StatedArtifact,
  { signal }: { readonly signal: AbortSignal },
): Promise<Verdict> {
  const chunks = await reader.read(key, { signal })
  if (chunks === undefined) return { problems: [`the object ${key} is not there`] }
  const found = await inspectArtifact(chunks, spec)
  if ('problem' in found) return { problems: [`the object ${key}: ${found.problem}`] }
  const { rows, bytes } = found
  const problems = describeDifferences([facts, by], [found, 'object'])
  const sourceRows = await counter?.count(queriesOf(spec), { signal })
  if (sourceRows === undefined) return { problems, rows, bytes }
  const differs = sourceRows === rows ? [] : [describeSource(sourceRows, rows)]
  return { problems: [...problems, ...differs], rows, bytes, sourceRows }
}

function describeSource(inSource: number, inObject: number): string {
  const what =
    inSource > inObject
      ? 'some came later, or were dated back'
      : 'some were removed since, or were moved'
  return `rows: ${inSource} in the source now, ${inObject} in the object: ${what}`
}

/** The artifact of a completed export as its record states it; undefined where it has none. */
export function statedByRecord({ spec, artifact }: ExportRecord): StatedArtifact | undefined {
  if (artifact === undefined) return undefined
  const { key, rows, bytes, sha256, rawBytes = bytes, rawSha256 = sha256 } = artifact
  return { by: 'record', key, spec, facts: { rows, bytes, sha256, rawBytes, rawSha256 } }
}
