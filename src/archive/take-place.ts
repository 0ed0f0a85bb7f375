/** A later generation of a window takes the place of the one before. */
import { ExportError, StateError, StoreError } from '../errors.ts'
import { instantOf } from '../export/instant.ts'
import type { Artifact, ExportRecord } from '../export/model.ts'
import {
  generationsPrefix,
  parseObjectKey,
  partitionKey,
  supersededKey,
} from '../export/object-key.ts'
import type { ArtifactStore, ExportRecords, StoredObject } from '../export/ports.ts'
import { specOf } from './manifest.ts'
import type { LedgerWindow } from './model.ts'
import { namedArtifact, type NamedArtifactDeps } from './named-artifact.ts'
import type { ArchiveLedger, ArtifactComparer } from './ports.ts'

export interface TakePlaceDeps extends NamedArtifactDeps {
  readonly ledger: Pick<ArchiveLedger, 'listWindows'>
  readonly records: Pick<ExportRecords, 'relocate'>
  readonly artifacts: Pick<ArtifactStore, 'copy' | 'list' | 'remove' | 'stat'>
  readonly comparer: ArtifactComparer
}

/**
 * Moves the artifact of a completed export into the partition of its window, once what earlier generations have there is moved out of it:
 * whoever reads the partition meanwhile may find nothing, for as long as a copy takes, and never both. Every step may be done
 * twice, and by many at the same time.
 * @returns the record with its artifact in its place; as it was where that is so already
 * @throws StateError ARCHIVE_NOT_REPLACED when the earlier generation has records that this one has not, or cannot be compared with it;
 * StoreError ARCHIVE_CORRUPT when the artifact is gone. Nothing was moved then
 */
export async function takePlace(
  deps: TakePlaceDeps,
  window: LedgerWindow,
  record: ExportRecord,
  { signal }: { readonly signal: AbortSignal },
): Promise<ExportRecord> {
  const { artifact } = record
  const { keyPrefix } = deps.settings
  const place = partitionKey(keyPrefix, record)
  if (artifact === undefined || artifact.key === place) return record
  const isAt = async (key: string) => (await deps.artifacts.stat(key))?.bytes === artifact.bytes
  // whoever has copied it there has compared it, too
  if (!(await isAt(place))) {
    if (!(await isAt(artifact.key))) throw gone(artifact)
    try {
      await assertKeepsAll(deps, window, record, signal)
    } catch (error) {
      if (!(await isAt(place))) throw error
    }
  }
  for (const { id, key } of await listEarlier(deps, window, signal)) {
    await moveArtifact(deps, id, key, supersededKey(keyPrefix, key))
  }
  const moved = await moveArtifact(deps, record.id, artifact.key, place)
  if (moved?.bytes !== artifact.bytes) throw gone(artifact)
  return { ...record, artifact: { ...artifact, key: place, etag: moved.etag } }
}

const gone = ({ key, bytes }: Artifact) =>
  new StoreError(
    'ARCHIVE_CORRUPT',
    `The artifact ${key} of ${bytes} bytes is not there any more.`,
    {
      hint: 'The window is exported anew; see who removes or changes objects in this bucket.',
    },
  )

/**
 * The latest archived generation before one that is not kept goes back to its partition, where nothing is left of
 * the window: it had been moved out of it by somebody who did not come to an end.
 * @throws StoreError, SourceError, the signal's reason
 */
export async function putBack(
  deps: TakePlaceDeps,
  window: LedgerWindow,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { settings, artifacts } = deps
  const before = await generationBefore(deps, window)
  if (before === undefined) return
  const range = { from: instantOf(window.from), to: instantOf(window.to) }
  const place = { name: window.archive, date: window.date }
  const inPartition = generationsPrefix(settings.keyPrefix, place, { range })
  for await (const { kind } of artifacts.list(inPartition, { signal, only: 'objects' })) {
    if (kind === 'object') return
  }
  const named = await namedArtifact(deps, before).catch((error: unknown) => {
    // then there is nothing to put back: `verify` tells
    if (error instanceof StoreError && error.code === 'ARCHIVE_CORRUPT') return undefined
    throw error
  })
  const { id } = parseObjectKey(settings.keyPrefix, named?.key ?? '') ?? {}
  if (named === undefined || id === undefined) return
  await moveArtifact(deps, id, named.key, named.manifest.artifact.key)
}

/** Copied, written down, and only then removed. Undefined when it is neither here nor there. */
async function moveArtifact(
  { artifacts, records }: Pick<TakePlaceDeps, 'artifacts' | 'records'>,
  id: string,
  from: string,
  to: string,
): Promise<StoredObject | undefined> {
  const copied = (await artifacts.copy(from, to)) ?? (await artifacts.stat(to))
  if (copied === undefined) return undefined
  await records.relocate(id, from, copied)
  await artifacts.remove(from)
  return copied
}

/** Objects of earlier generations in the partition, each with the export that made it. */
async function listEarlier(
  { artifacts, settings: { keyPrefix } }: TakePlaceDeps,
  window: LedgerWindow,
  signal: AbortSignal,
) {
  const range = { from: instantOf(window.from), to: instantOf(window.to) }
  const place = { name: window.archive, date: window.date }
  const earlier: { readonly id: string; readonly key: string }[] = []
  const inPartition = generationsPrefix(keyPrefix, place, { range })
  const written = artifacts.list(inPartition, { signal, only: 'objects' })
  for await (const { kind, key } of written) {
    const { id, generation = 0 } = parseObjectKey(keyPrefix, key) ?? {}
    if (kind === 'object' && id !== undefined && generation < window.generation) {
      earlier.push({ id, key })
    }
  }
  return earlier
}

/** Records are purged from a source in time: what the archive has of them must not go with them. */
async function assertKeepsAll(
  deps: TakePlaceDeps,
  window: LedgerWindow,
  { spec, artifact }: ExportRecord,
  signal: AbortSignal,
): Promise<void> {
  const before = await generationBefore(deps, window)
  if (before === undefined) return
  const refuse = (why: string, hint: string) =>
    new StateError(
      'ARCHIVE_NOT_REPLACED',
      `${why}: generation ${window.generation} is not kept.`,
      window.state,
      { hint },
    )
  let missing: number
  try {
    const named = await namedArtifact(deps, before)
    if (named === undefined) {
      throw refuse(
        `The manifest of generation ${before.generation} is not there`,
        'Put it back from a copy or an earlier version of the object.',
      )
    }
    missing = await deps.comparer.countMissing(
      { key: named.key, spec: specOf(named.manifest) },
      { key: artifact?.key ?? '', spec },
      { signal },
    )
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof ExportError) || error.retryable || error instanceof StateError)
      throw error
    throw refuse(
      `It cannot be compared with generation ${before.generation}: ${error.message}`,
      'Put the manifest, or the artifact, back from a copy; `longhaul verify` shows what differs.',
    )
  }
  if (missing === 0) return
  throw refuse(
    `${missing === 1 ? '1 record' : `${missing} records`} of generation ${before.generation} ${missing === 1 ? 'is' : 'are'} not in the source any more`,
    'The archive keeps what it has. Export the range on demand to see what came late.',
  )
}

/** The latest archived one before a generation. */
async function generationBefore(
  { ledger }: Pick<TakePlaceDeps, 'ledger'>,
  { archive, from, to, generation }: LedgerWindow,
): Promise<LedgerWindow | undefined> {
  const generations = await ledger.listWindows(archive, { from, to })
  return generations.findLast((each) => each.state === 'archived' && each.generation < generation)
}
