/** What happens to one window: its export is requested, and once that is over, settled. Each step may be done twice. */
import { errorFacts, ExportError, StoreError } from '../errors.ts'
import { hasReplayed } from '../export/assert-settled.ts'
import type { ExportRecord, Standby } from '../export/model.ts'
import { partitionKey } from '../export/object-key.ts'
import type { ArtifactStore, ExportQueue, ExportRecords } from '../export/ports.ts'
import { requestExport } from '../export/request-export.ts'
import { isFinished } from '../export/state.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ArchiveSchedule, Calendar, LedgerWindow } from './model.ts'
import { listOthers, removeAll } from './partition.ts'
import { describeWindow, manifestKey, openManifest, sealManifest } from './manifest.ts'
import { namedArtifact, type NamedArtifact } from './named-artifact.ts'
import { retryAfterMs, settledAt } from './plan-windows.ts'
import type { ArchiveLedger, ArtifactComparer, ManifestStore } from './ports.ts'
import { putBack, takePlace } from './take-place.ts'

export interface WindowDeps {
  readonly ledger: ArchiveLedger
  readonly records: Pick<ExportRecords, 'create' | 'getMany' | 'expire' | 'relocate'>
  readonly queue: Pick<ExportQueue, 'enqueue'>
  readonly artifacts: Pick<ArtifactStore, 'list' | 'stat' | 'copy' | 'remove' | 'abortUploads'>
  readonly comparer: ArtifactComparer
  readonly manifests: ManifestStore
  /** What the source has replayed, where that is a standby. @throws SourceError */
  readonly lookAtReplay: (options: { readonly signal: AbortSignal }) => Promise<Standby | undefined>
  readonly clock: Clock
  readonly settings: ArchiveSettings
}

export interface ArchiveSettings {
  readonly keyPrefix: string
  /** Windows of one archive that are open at the same time: who has many to do asks for a few, then a few more. */
  readonly openWindows: number
}

const keyOf = ({ archive, from, generation }: LedgerWindow) => ({ archive, from, generation })

/** Who asks for an archive's exports: no API key has such a name. */
const requesterOf = (archive: string) => `archive:${archive}`

/**
 * Requests a window's export; a name for each try: who dies between the two steps, or does them beside another, makes no
 * second export. What is archived already, though this ledger does not know of it, is not read again: the control
 * database may be a new one, or one that was set back. Nothing is requested that a standby has not replayed yet.
 */
export async function requestWindow(
  deps: WindowDeps,
  schedule: Pick<ArchiveSchedule, 'settleMs'>,
  window: LedgerWindow,
  signal: AbortSignal,
): Promise<'requested' | 'archived' | 'failed' | undefined> {
  const { ledger } = deps
  try {
    const named = await namedArtifact(deps, window)
    if (named !== undefined) return await adopt(deps, window, named, signal)
  } catch (error) {
    return failBy(deps, window, error, { signal })
  }
  const { archive: name, date, from, to, generation, tries } = window
  const settled = settledAt(to, schedule)
  // what is asked for too early would use its failures up
  if (!hasReplayed(await deps.lookAtReplay({ signal }), settled)) return undefined
  const asked = { ...window.request, time_from: from.toISOString(), time_to: to.toISOString() }
  const { record } = await requestExport(deps, asked, {
    requestedBy: requesterOf(name),
    idempotencyKey: [from.toISOString(), generation, tries + 1].join('/'),
    archive: { name, date, generation, settledAt: settled.toISOString() },
  })
  return (await ledger.begin(keyOf(window), record.id)) ? 'requested' : undefined
}

/** The running ones of windows, with their exports. */
export async function exportsOf(
  { records }: Pick<WindowDeps, 'records'>,
  windows: readonly LedgerWindow[],
): Promise<readonly WindowExport[]> {
  const running = windows.filter(({ state }) => state === 'running')
  const found = await records.getMany(running.flatMap(({ exportId }) => exportId ?? []))
  const byId = new Map(found.map((record) => [record.id, record]))
  return running.flatMap((window) => {
    const record = byId.get(window.exportId ?? '')
    return record === undefined ? [] : [{ window, record }]
  })
}

export interface WindowExport {
  readonly window: LedgerWindow
  readonly record: ExportRecord
}

export const hasEnded = ({ record }: WindowExport): boolean => isFinished(record.state)

/** Settles a window by what has come of its export. Undefined: somebody else has. */
export async function settleWindow(
  deps: WindowDeps,
  calendar: Calendar,
  { window, record }: WindowExport,
  signal: AbortSignal,
): Promise<'archived' | 'failed' | undefined> {
  try {
    if (record.state === 'completed') {
      return await keepArtifact(deps, calendar, window, record, signal)
    }
    // its worker has seen that it is archived
    const named = await namedArtifact(deps, window)
    if (named !== undefined) return await adopt(deps, window, named, signal)
  } catch (error) {
    return failBy(deps, window, error, { record, signal })
  }
  const { ledger, clock } = deps
  const error = record.error ?? {
    code: 'EXPORT_CANCELED',
    message: `Export ${record.id} was ${record.state}.`,
    retryable: true,
  }
  const retryAt = new Date(clock.now().getTime() + retryAfterMs(window.tries))
  const failed = await ledger.fail(keyOf(window), record.id, { error, retryAt })
  return failed ? 'failed' : undefined
}

/**
 * One window fails by what is in the bucket, or would come into it; the others go on. What was exported for it, and is not in its
 * partition, goes: nobody would look for it there.
 * @param record of its export, where that is completed
 * @throws any other error
 */
async function failBy(
  deps: WindowDeps,
  window: LedgerWindow,
  error: unknown,
  { record, signal }: { readonly record?: ExportRecord; readonly signal: AbortSignal },
): Promise<'failed' | undefined> {
  const { ledger, records, artifacts, clock, settings } = deps
  const code = error instanceof ExportError ? error.code : undefined
  if (code !== 'ARCHIVE_CORRUPT' && code !== 'ARCHIVE_NOT_REPLACED') throw error
  const staged = record?.artifact?.key
  if (
    record !== undefined &&
    staged !== undefined &&
    staged !== partitionKey(settings.keyPrefix, record)
  ) {
    const [now] = await records.getMany([record.id])
    // somebody else is about to settle it
    if (now?.state !== 'completed' || now.artifact?.key !== staged) return undefined
    if (code === 'ARCHIVE_NOT_REPLACED') await putBack(deps, window, { signal })
    await records.expire(record.id, clock.now())
    await artifacts.remove(staged)
  }
  // to export once more what was not kept would show the same: nobody does by himself
  const retryAt = new Date(clock.now().getTime() + retryAfterMs(window.tries))
  const failure = { error: errorFacts(error), ...(code === 'ARCHIVE_CORRUPT' ? { retryAt } : {}) }
  const { exportId } = window.state === 'running' ? window : {}
  return (await ledger.fail(keyOf(window), exportId, failure)) ? 'failed' : undefined
}

/**
 * The manifest that is there holds: what the window's own exports have made goes. Where a later generation has taken its place, that is next,
 * which has a manifest, too, unless whoever repaired the window did not come to an end.
 */
async function adopt(
  deps: WindowDeps,
  window: LedgerWindow,
  named: NamedArtifact,
  signal: AbortSignal,
): Promise<'archived' | undefined> {
  const { ledger, records, clock } = deps
  await removeAll(deps, await listOthers(deps, window, named.key, { signal }))
  if (window.exportId !== undefined) await records.expire(window.exportId, clock.now())
  if (named.key !== named.manifest.artifact.key) {
    const next = { ...keyOf(window), generation: window.generation + 1 }
    await ledger.plan(next, window, window.request)
  }
  return (await ledger.adopt(keyOf(window), clock.now())) ? 'archived' : undefined
}

/**
 * The manifest is the last to be written. Whoever reads the partition by then finds one artifact alone: what attempts left that
 * did not win is gone, also those of exports that failed before. Where there is a manifest already, it holds, and ours goes.
 */
async function keepArtifact(
  deps: WindowDeps,
  calendar: Calendar,
  window: LedgerWindow,
  record: ExportRecord,
  signal: AbortSignal,
): Promise<'archived' | undefined> {
  const { ledger, manifests, clock, settings } = deps
  const kept = partitionKey(settings.keyPrefix, record)
  const isFirst = record.attempt === 1 && window.tries === 1
  const only = isFirst ? ({ only: 'objects' } as const) : {}
  const others = await listOthers(deps, window, kept, { signal, ...only })
  // looked up only where there is another one that it may name
  if (others.some(({ kind }) => kind === 'object')) {
    const named = await namedArtifact(deps, window)
    if (named !== undefined && named.key !== kept) return adopt(deps, window, named, signal)
  }
  const placed = await takePlace(deps, window, record, { signal })
  const { artifact } = placed
  await removeAll(deps, others)
  const key = manifestKey(settings.keyPrefix, window)
  const text = sealManifest(describeWindow(window, calendar, placed))
  const isWritten = await manifests.putOnce(key, text)
  // from a try before this one, unless the control database was set back
  const stored = isWritten
    ? undefined
    : openManifest(key, (await manifests.get(key)) ?? '').artifact
  if (stored === undefined || (stored.key === artifact?.key && stored.sha256 === artifact.sha256)) {
    const isFinished = await ledger.finish(keyOf(window), record.id, clock.now())
    return isFinished ? 'archived' : undefined
  }
  throw new StoreError(
    'ARCHIVE_CORRUPT',
    `The manifest ${key} names ${stored.key} with SHA-256 ${stored.sha256}, which is not there any more.`,
    {
      hint: 'Put that artifact back from a copy, or remove the manifest: the window is then archived anew.',
    },
  )
}
