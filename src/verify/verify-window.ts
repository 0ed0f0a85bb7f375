import { manifestKey, openManifest, specOf, type OpenedManifest } from '../archive/manifest.ts'
import type { LedgerWindow } from '../archive/model.ts'
import type { ManifestStore } from '../archive/ports.ts'
import { StoreError } from '../errors.ts'
import type { ExportSpec } from '../export/model.ts'
import { generationsPrefix } from '../export/object-key.ts'
import type { ArtifactStore, ExportRecords } from '../export/ports.ts'
import { describeDifferences, type ArtifactFacts } from './inspect-artifact.ts'
import { statedByRecord, verifyArtifact, type Verdict, type VerifyDeps } from './verify-export.ts'

export interface VerifyWindowDeps extends VerifyDeps {
  readonly manifests: Pick<ManifestStore, 'get'>
  readonly records: Pick<ExportRecords, 'getMany'>
  readonly artifacts: Pick<ArtifactStore, 'list'>
  readonly keyPrefix: string
}

/**
 * Compares what there is of an archived window: the ledger, the record of its export, the manifest, what lies in the partition, the object
 * itself, read to its end, and, if it is to be asked, the source. Changes nothing.
 * @throws StoreError, SourceError, the signal's reason
 */
export async function verifyWindow(
  deps: VerifyWindowDeps,
  window: LedgerWindow,
  options: { readonly signal: AbortSignal },
): Promise<Verdict> {
  const { manifests, keyPrefix } = deps
  const key = manifestKey(keyPrefix, window)
  const text = await manifests.get(key)
  if (text === undefined) return { problems: [`the manifest ${key} is not there`] }
  let manifest: OpenedManifest
  try {
    manifest = openManifest(key, text)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return { problems: [error.message] }
  }
  const spec = specOf(manifest)
  const facts = factsOf(manifest)
  const verdict = await verifyArtifact(
    deps,
    { by: 'manifest', key: manifest.artifact.key, spec, facts },
    options,
  )
  const problems = [
    ...compareLedger(window, manifest),
    ...(await compareRecord(deps, window, manifest)),
    ...(await findOthers(deps, window, manifest, spec, options)),
    ...verdict.problems,
  ]
  return { ...verdict, problems }
}

function factsOf({ artifact }: OpenedManifest): ArtifactFacts {
  const { rows, bytes, sha256, raw_bytes: rawBytes, raw_sha256: rawSha256 } = artifact
  return { rows, bytes, sha256, rawBytes, rawSha256 }
}

function compareLedger(window: LedgerWindow, manifest: OpenedManifest): readonly string[] {
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['archive', window.archive, manifest.archive],
    ['window', window.name, manifest.window],
    ['generation', window.generation, manifest.generation],
    ['time_from', window.from.toISOString(), manifest.time_from],
    ['time_to', window.to.toISOString(), manifest.time_to],
  ]
  return pairs.flatMap(([name, inLedger, inManifest]) =>
    inLedger === inManifest
      ? []
      : [`${name}: ${String(inLedger)} in the ledger, ${String(inManifest)} in the manifest`],
  )
}

async function compareRecord(
  { records }: VerifyWindowDeps,
  { exportId }: LedgerWindow,
  manifest: OpenedManifest,
): Promise<readonly string[]> {
  // taken over by its manifest: this control database has no record of it
  if (exportId === undefined) return []
  const [record] = await records.getMany([exportId])
  const stated = record === undefined ? undefined : statedByRecord(record)
  if (stated === undefined) return [`the export ${exportId} of the ledger has no artifact`]
  const differences = describeDifferences([stated.facts, 'record'], [factsOf(manifest), 'manifest'])
  const { key } = manifest.artifact
  return stated.key === key
    ? differences
    : [`key: ${stated.key} in the record, ${key} in the manifest`, ...differences]
}

/** Whoever reads the partition would read these, too. */
async function findOthers(
  { artifacts, keyPrefix }: VerifyWindowDeps,
  window: LedgerWindow,
  manifest: OpenedManifest,
  spec: ExportSpec,
  options: { readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const begin = generationsPrefix(keyPrefix, { ...window, name: window.archive }, spec)
  const others: string[] = []
  for await (const { kind, key } of artifacts.list(begin, { ...options, only: 'objects' })) {
    if (kind === 'object' && key !== manifest.artifact.key) others.push(key)
  }
  return others.map((key) => `the partition holds ${key}, too, which the manifest does not name`)
}
