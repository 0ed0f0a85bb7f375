/** How one window goes: first it is looked at, then its records, its manifests and its objects go. Each step may be done twice. */
import { StoreError } from '../errors.ts'
import { instantOf } from '../export/instant.ts'
import { generationsPrefix, supersededKey, windowPrefix } from '../export/object-key.ts'
import type { ArtifactStore, ExportRecords, StoredEntry } from '../export/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import { manifestKey, openManifest, type OpenedManifest } from './manifest.ts'
import type { LedgerWindow } from './model.ts'
import type { ManifestStore, RetentionLedger } from './ports.ts'

export interface RemovalDeps {
  readonly retention: Pick<RetentionLedger, 'markRemoved'>
  readonly records: Pick<ExportRecords, 'expire'>
  readonly artifacts: Pick<ArtifactStore, 'list' | 'stat' | 'remove' | 'abortUploads'>
  readonly manifests: Pick<ManifestStore, 'get'>
  readonly clock: Clock
  readonly keyPrefix: string
}

/** Of all generations together. */
export interface WindowSize {
  readonly rows: number
  readonly bytes: number
}

/**
 * Looks whether all that there is of a window is as its manifests say: nothing is downloaded but these.
 * @param generations those that are archived; a window of which nothing at all is there any more has no size, and one
 *   of which there is a generation besides stays: a control database that was set back knows less than the bucket
 * @returns what it takes, or why it must stay
 * @throws StoreError when the store does not say, the signal's reason
 */
export async function checkRemovable(
  deps: RemovalDeps,
  generations: readonly LedgerWindow[],
  { signal }: { readonly signal: AbortSignal },
): Promise<WindowSize | { readonly problem: string }> {
  const sum = { rows: 0, bytes: 0 }
  const stored = await listObjects(deps, generations, signal)
  const ours = generations.flatMap((window) => placesOf(deps.keyPrefix, window))
  const unknown = stored.find(({ key }) => !isBelow(ours, key))
  if (unknown !== undefined) {
    return {
      problem: `${unknown.key} is of no generation that the ledger has archived: was the control database set back?`,
    }
  }
  let missing: string | undefined
  let present = false
  for (const window of generations) {
    const key = manifestKey(deps.keyPrefix, window)
    const text = await deps.manifests.get(key)
    const places = placesOf(deps.keyPrefix, window)
    const objects = stored.filter((each) => isBelow(places, each.key))
    present ||= text !== undefined || objects.length > 0
    if (text === undefined) {
      missing ??= `the manifest ${key} is not there`
      continue
    }
    const found = await checkGeneration(deps, window, { key, text, objects })
    if ('problem' in found) return found
    sum.rows += found.rows
    sum.bytes += found.bytes
  }
  return missing === undefined || !present ? sum : { problem: missing }
}

interface StoredGeneration {
  readonly key: string
  readonly text: string
  readonly objects: readonly StoredEntry[]
}

async function checkGeneration(
  { artifacts, keyPrefix }: RemovalDeps,
  window: LedgerWindow,
  { key, text, objects }: StoredGeneration,
): Promise<WindowSize | { readonly problem: string }> {
  let manifest: OpenedManifest
  try {
    manifest = openManifest(key, text)
  } catch (error) {
    if (error instanceof StoreError) return { problem: error.message }
    throw error
  }
  const { rows, bytes, key: named } = manifest.artifact
  const [place] = placesOf(keyPrefix, window)
  const isOurs =
    manifest.archive === window.archive &&
    manifest.generation === window.generation &&
    manifest.time_from === window.from.toISOString() &&
    manifest.time_to === window.to.toISOString() &&
    named.startsWith(place)
  if (!isOurs) return { problem: `the manifest ${key} is of another window` }
  // a generation that was replaced lies elsewhere, and its manifest is as it was
  const keys = [named, supersededKey(keyPrefix, named)]
  const other = objects.find((each) => !keys.includes(each.key))
  if (other !== undefined) return { problem: `no manifest names ${other.key}` }
  const at = objects.at(0)?.key
  const stored = at === undefined ? undefined : await artifacts.stat(at)
  if (stored?.bytes === bytes) return { rows, bytes }
  const what = stored === undefined ? 'is not there' : `has ${stored.bytes}`
  return { problem: `the manifest ${key} names ${named} of ${bytes} bytes, which ${what}` }
}

/**
 * Removes what there is of a deleted window; done again, it goes on where it ended. Manifests go before the objects, so that none
 * names what is not there, and after the records, so that no link to it is signed any more.
 * @throws StoreError, SourceError, the signal's reason
 */
export async function removeWindow(
  deps: RemovalDeps,
  generations: readonly LedgerWindow[],
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { artifacts, records, retention, clock, keyPrefix } = deps
  for (const window of generations) {
    if (window.exportId !== undefined) await records.expire(window.exportId, clock.now())
    await artifacts.remove(manifestKey(keyPrefix, window))
    for (const { kind, key } of await listStored(deps, placesOf(keyPrefix, window), signal)) {
      await (kind === 'upload' ? artifacts.abortUploads(key) : artifacts.remove(key))
    }
  }
  for (const window of generations.slice(0, 1)) await retention.markRemoved(window, clock.now())
}

/** With these begin the keys of a generation's objects, and no others: where it was written, and where it goes when it is replaced. */
function placesOf(keyPrefix: string, window: LedgerWindow): readonly [string, string] {
  const written = windowPrefix(keyPrefix, { ...window, name: window.archive }, rangeOf(window))
  return [written, supersededKey(keyPrefix, written)]
}

const rangeOf = ({ from, to }: LedgerWindow) => ({
  range: { from: instantOf(from), to: instantOf(to) },
})

const isBelow = (places: readonly string[], key: string) =>
  places.some((place) => key.startsWith(place))

/** Of all generations of the window that there are in the bucket, whoever knows them. */
async function listObjects(
  deps: RemovalDeps,
  generations: readonly LedgerWindow[],
  signal: AbortSignal,
): Promise<readonly StoredEntry[]> {
  const [window] = generations
  if (window === undefined) return []
  const place = { name: window.archive, date: window.date }
  const written = generationsPrefix(deps.keyPrefix, place, rangeOf(window))
  const stored = await listStored(deps, [written, supersededKey(deps.keyPrefix, written)], signal)
  return stored.filter(({ kind }) => kind === 'object')
}

async function listStored(
  { artifacts }: RemovalDeps,
  places: readonly string[],
  signal: AbortSignal,
): Promise<readonly StoredEntry[]> {
  const found: StoredEntry[] = []
  for (const place of places) {
    for await (const entry of artifacts.list(place, { signal })) found.push(entry)
  }
  return found
}
