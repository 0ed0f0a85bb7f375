/** A later generation of a window takes the place of the one before. */
import { StateError, StoreError } from '../errors.ts'
import { instantOf } from '../export/instant.ts'
import type { ExportRecord } from '../export/model.ts'
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
 * @throws StateError ARCHIVE_SHRINKS when the earlier generation has records that this one has not: nothing was moved then
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
  await assertKeepsAll(deps, window, record, signal)
  for (const { id, key } of await listEarlier(deps, window, signal)) {
    await moveArtifact(deps, id, key, supersededKey(keyPrefix, key))
  }
  const moved = await moveArtifact(deps, record.id, artifact.key, place)
  if (moved?.bytes === artifact.bytes) {
    return { ...record, artifact: { ...artifact, key: place, etag: moved.etag } }
  }
  throw new StoreError(
    'ARCHIVE_CORRUPT',
    `The artifact ${artifact.key} of ${artifact.bytes} bytes ${moved === undefined ? 'is not there' : `has ${moved.bytes}`}.`,
    { hint: 'The window is exported anew; see who removes or changes objects in this bucket.' },
  )
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
  const written = artifacts.list(generationsPrefix(keyPrefix, place, { range }), { signal })
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
  const range = { from: window.from, to: window.to }
  const generations = await deps.ledger.listWindows(window.archive, range)
  const before = generations.findLast(
    ({ from, state, generation }) =>
      from.getTime() === window.from.getTime() &&
      state === 'archived' &&
      generation < window.generation,
  )
  const named = before === undefined ? undefined : await namedArtifact(deps, before)
  if (before === undefined || named === undefined) return
  const missing = await deps.comparer.countMissing(
    { key: named.key, spec: specOf(named.manifest) },
    { key: artifact?.key ?? '', spec },
    { signal },
  )
  // undefined: somebody else has moved it meanwhile, after a look of their own
  if (missing === undefined || missing === 0) return
  throw new StateError(
    'ARCHIVE_SHRINKS',
    `${window.archive} ${window.name}: of the ${named.manifest.artifact.rows} records of generation ${before.generation}, ` +
      `${missing} are not in the source any more: generation ${window.generation} would lose them, and is not kept.`,
    window.state,
    {
      hint: 'The archive keeps what it has. Export the range on demand to see what came late.',
    },
  )
}
