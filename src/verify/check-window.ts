import { manifestKey, openManifest, specOf, type OpenedManifest } from '../archive/manifest.ts'
import type { LedgerWindow, WindowRequest } from '../archive/model.ts'
import type { ManifestStore } from '../archive/ports.ts'
import { StoreError } from '../errors.ts'
import { queriesOf } from '../export/spec.ts'
import type { RowCounter } from './ports.ts'

export interface CheckWindowDeps {
  readonly manifests: Pick<ManifestStore, 'get'>
  readonly counter: RowCounter
  readonly keyPrefix: string
}

/** What the source says of an archived window now; counts are of rows. */
export type CheckedWindow = { readonly window: LedgerWindow } & (
  | (SourceCount & { readonly outcome: 'same' | 'fewer' })
  /** Some came after it was archived, or were dated back. */
  | (SourceCount & { readonly outcome: 'late'; readonly request: WindowRequest })
  /** There is a later generation in the bucket, which this control database does not know: it was set back, or is new. */
  | { readonly outcome: 'outdated'; readonly request: WindowRequest }
  /** Its manifest is not there, or not as it was written: there is nothing to compare with. */
  | { readonly outcome: 'corrupt'; readonly problem: string }
)

export interface SourceCount {
  readonly archived: number
  readonly inSource: number
}

/**
 * Counts what the source has of an archived window, and compares with its manifest. As many that came as were removed do not show.
 * @throws SourceError, StoreError when the store cannot be asked, the signal's reason
 */
export async function checkWindow(
  { manifests, counter, keyPrefix }: CheckWindowDeps,
  window: LedgerWindow,
  { signal }: { readonly signal: AbortSignal },
): Promise<CheckedWindow> {
  const key = manifestKey(keyPrefix, window)
  const text = await manifests.get(key)
  if (text === undefined) {
    return { window, outcome: 'corrupt', problem: `The manifest ${key} is not there.` }
  }
  let manifest: OpenedManifest
  try {
    manifest = openManifest(key, text)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return { window, outcome: 'corrupt', problem: error.message }
  }
  const next = manifestKey(keyPrefix, { ...window, generation: window.generation + 1 })
  if ((await manifests.get(next)) !== undefined) {
    return { window, outcome: 'outdated', request: requestOf(manifest) }
  }
  const archived = manifest.artifact.rows
  const inSource = await counter.count(queriesOf(specOf(manifest)), { signal })
  const counts = { window, archived, inSource }
  if (inSource > archived) return { ...counts, outcome: 'late', request: requestOf(manifest) }
  return { ...counts, outcome: inSource === archived ? 'same' : 'fewer' }
}

/** What is exported anew is what was exported, whatever the definition says by now. */
const requestOf = (manifest: OpenedManifest): WindowRequest => ({
  dataset: manifest.dataset,
  filter_events: manifest.filter_events,
  filter_state: manifest.filter_state,
  export_content: manifest.export_content,
  format: manifest.format,
  compression: manifest.compression,
})
