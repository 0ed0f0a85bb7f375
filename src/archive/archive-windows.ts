/**
 * One look at an archive: what has come of the windows that were exported, and which ones follow. The page to read first.
 */
import type { ExportRecord } from '../export/model.ts'
import { windowPrefix } from '../export/object-key.ts'
import type { ArtifactStore, ExportQueue, ExportRecords } from '../export/ports.ts'
import { requestExport } from '../export/request-export.ts'
import type { Clock } from '../runtime/clock.ts'
import type { ArchiveDefinition, LedgerWindow } from './model.ts'
import { describeWindow, manifestKey, sealManifest } from './manifest.ts'
import { dueWindows, firstWindow, retryAfterMs } from './plan-windows.ts'
import type { ArchiveLedger, ManifestStore } from './ports.ts'

export interface ArchiveWindowsDeps {
  readonly ledger: ArchiveLedger
  readonly records: Pick<ExportRecords, 'create' | 'get'>
  readonly queue: Pick<ExportQueue, 'enqueue'>
  readonly artifacts: Pick<ArtifactStore, 'list' | 'remove' | 'abortUploads'>
  readonly manifests: ManifestStore
  readonly clock: Clock
  readonly settings: ArchiveSettings
}

export interface ArchiveSettings {
  readonly keyPrefix: string
  /** Windows of one archive that are open at the same time: a worker that was away for a month asks for a few, then a few more. */
  readonly openWindows: number
}

/** What one look did, as counts of windows. */
export interface ArchiveReport {
  readonly planned: number
  readonly requested: number
  readonly archived: number
  readonly failed: number
  /** That are planned or running now. */
  readonly open: number
}

/**
 * Looks once. Safe to run at any time, twice, and by many at the same time: all that it does follows from calendar,
 * ledger and records, and each step is one guarded update or a request with a name of its own.
 * @throws StateError when the archive is kept by another calendar, SourceError, QueueError, StoreError, the signal's reason
 */
export async function archiveWindows(
  deps: ArchiveWindowsDeps,
  definition: ArchiveDefinition,
  { signal }: { readonly signal: AbortSignal },
): Promise<ArchiveReport> {
  const { ledger, clock, settings } = deps
  const { name, calendar } = definition
  const counts = { planned: 0, requested: 0, archived: 0, failed: 0 }

  const enteredAt = await ledger.open(name, calendar, clock.now())
  await ledger.retryFailed(name, clock.now())

  for (const window of await ledger.listOpen(name)) {
    signal.throwIfAborted()
    const outcome = await settle(deps, definition, window, signal)
    if (outcome !== undefined) counts[outcome]++
  }

  let room = settings.openWindows - (await ledger.listOpen(name)).length
  if (room > 0) {
    const first = firstWindow(definition, enteredAt)
    const coveredUntil = await ledger.coveredUntil(name, first.from)
    for (const window of dueWindows(definition, { now: clock.now(), coveredUntil })) {
      if (room <= 0) break
      // beyond a gap there may be some already
      const key = { archive: name, from: window.from, generation: 1 }
      if (!(await ledger.plan(key, window, definition.request))) continue
      counts.planned++
      room--
    }
  }

  const open = await ledger.listOpen(name)
  for (const window of open) {
    signal.throwIfAborted()
    if (window.state === 'planned' && (await request(deps, window))) counts.requested++
  }
  return { ...counts, open: open.length }
}

const keyOf = ({ archive, from, generation }: LedgerWindow) => ({ archive, from, generation })

/** Who asks for an archive's exports: no API key has such a name. */
const requesterOf = (archive: string) => `archive:${archive}`

/** A name for each try: who dies between the two steps, or does them beside another, makes no second export. */
async function request(deps: ArchiveWindowsDeps, window: LedgerWindow): Promise<boolean> {
  const { archive: name, date, from, to, generation, tries } = window
  const asked = { ...window.request, time_from: from.toISOString(), time_to: to.toISOString() }
  const { record } = await requestExport(deps, asked, {
    requestedBy: requesterOf(name),
    idempotencyKey: [from.toISOString(), generation, tries + 1].join('/'),
    archive: { name, date, generation },
  })
  return deps.ledger.begin(keyOf(window), record.id)
}

/** What has come of a window's export; undefined: nothing yet. */
async function settle(
  deps: ArchiveWindowsDeps,
  definition: ArchiveDefinition,
  window: LedgerWindow,
  signal: AbortSignal,
): Promise<'archived' | 'failed' | undefined> {
  const { exportId } = window
  if (window.state !== 'running' || exportId === undefined) return undefined
  const { ledger, records, clock } = deps
  const record = await records.get(exportId)
  switch (record.state) {
    case 'queued':
    case 'running':
      return undefined
    case 'completed': {
      await writeManifest(deps, definition, window, record, signal)
      return (await ledger.finish(keyOf(window), exportId, clock.now())) ? 'archived' : undefined
    }
    case 'failed':
    case 'canceled':
    case 'expired': {
      const error = record.error ?? {
        code: 'EXPORT_CANCELED',
        message: `Export ${exportId} was ${record.state}.`,
        retryable: true,
      }
      const retryAt = new Date(clock.now().getTime() + retryAfterMs(window.tries))
      const failed = await ledger.fail(keyOf(window), exportId, { error, retryAt })
      return failed ? 'failed' : undefined
    }
  }
}

/**
 * The manifest is the last to be written. Whoever reads the partition by then finds the artifact alone: what attempts left that
 * did not win is gone, also those of exports that failed before.
 */
async function writeManifest(
  { artifacts, manifests, settings: { keyPrefix } }: ArchiveWindowsDeps,
  { calendar }: ArchiveDefinition,
  window: LedgerWindow,
  record: ExportRecord,
  signal: AbortSignal,
): Promise<void> {
  const place = { ...window, name: window.archive }
  const written = windowPrefix(keyPrefix, place, record.spec)
  for await (const { kind, key } of artifacts.list(written, { signal })) {
    if (kind === 'upload') await artifacts.abortUploads(key)
    else if (key !== record.artifact?.key) await artifacts.remove(key)
  }
  const key = manifestKey(keyPrefix, window, record.spec)
  await manifests.putOnce(key, sealManifest(describeWindow(window, calendar, record)))
}
