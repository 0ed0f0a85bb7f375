import type { ExportRecord } from '../export/model.ts'
import { archivesFolder, exportsFolder, parseObjectKey } from '../export/object-key.ts'
import type { ArtifactStore, ExportRecords, StoredEntry } from '../export/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import { decideLeftover } from './decide-leftover.ts'

export interface SweepDeps {
  readonly records: Pick<ExportRecords, 'listDue' | 'expire' | 'getMany'>
  readonly artifacts: Pick<ArtifactStore, 'list' | 'remove' | 'abortUploads'>
  /** Whether an archive holds on to this object of an export, whatever its record says. @throws StoreError */
  readonly isArchived: (record: ExportRecord, key: string) => Promise<boolean>
  readonly clock: Clock
  readonly settings: SweepSettings
}

export interface SweepSettings {
  readonly keyPrefix: string
  /** What a lost attempt left is removed when it is older than that, ms. */
  readonly orphanAgeMs: number
}

/** What a sweep did, as counts. */
export interface SweepReport {
  /** Artifacts whose time was over: the record stays as expired. */
  readonly expired: number
  /** Objects of attempts that did not win, of artifacts that had expired before, or of a doctor that was killed. */
  readonly objects: number
  /** Open uploads of attempts that are over, or of such a doctor. */
  readonly uploads: number
  /** Entries below our folders that this control database does not know: they stay. */
  readonly unknown: number
  /** What could not be removed; the next sweep tries again. */
  readonly failed: number
  /** Why, of the first. */
  readonly failure?: Error
}

/** Sweeps once. */
export type Sweep = (options: { readonly signal: AbortSignal }) => Promise<SweepReport>

/** Records or entries that are looked at together. */
const batchSize = 500

/** Removed in one sweep at most; the next one goes on. */
const maxRemovals = 10_000

/** A store that refuses so many is not asked on. */
const maxFailures = 10

/**
 * One run of retention: artifacts whose time is over expire, record first, so that nobody is handed a
 * link to an object that is about to go; then what lost attempts left behind is removed. Bounded, safe
 * to run twice, and on many workers at once.
 * @throws SourceError; StoreError when the store cannot be listed; the signal's reason
 */
export async function sweep(
  { records, artifacts, isArchived, clock, settings }: SweepDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<SweepReport> {
  const counts = { expired: 0, objects: 0, uploads: 0, unknown: 0, failed: 0 }
  let failure: Error | undefined
  const removed = () => counts.expired + counts.objects + counts.uploads
  const enough = () => removed() >= maxRemovals || counts.failed >= maxFailures

  function fail(error: unknown): void {
    counts.failed++
    failure ??= error instanceof Error ? error : new TypeError(String(error))
  }
  async function attempt(kind: 'expired' | 'objects' | 'uploads', work: Promise<void>) {
    try {
      await work
      counts[kind]++
    } catch (error) {
      fail(error)
    }
  }
  async function isFree(key: string, record: ExportRecord | undefined): Promise<boolean> {
    try {
      return record === undefined || !(await isArchived(record, key))
    } catch (error) {
      fail(error)
      return false
    }
  }

  async function expireDue(): Promise<void> {
    for (;;) {
      const due = await records.listDue({ limit: batchSize })
      for (const { id } of due) {
        signal.throwIfAborted()
        if (enough()) return
        const record = await records.expire(id, clock.now())
        // another sweep, or a person, was first
        if (record?.artifact === undefined) continue
        await attempt('expired', artifacts.remove(record.artifact.key))
      }
      if (due.length < batchSize) return
    }
  }

  async function removeLeftovers(folder: string): Promise<void> {
    const { keyPrefix, orphanAgeMs } = settings
    const before = new Date(clock.now().getTime() - orphanAgeMs)
    const entries = artifacts.list(folder, { signal })
    for await (const batch of inBatches(entries)) {
      const ids = new Set(batch.flatMap(({ key }) => parseObjectKey(keyPrefix, key)?.id ?? []))
      // looked up after it was listed: what an attempt has written since is not in this batch
      const found = await records.getMany([...ids])
      const byId = new Map(found.map((record) => [record.id, record]))
      for (const entry of batch) {
        signal.throwIfAborted()
        if (enough()) return
        const record = byId.get(parseObjectKey(keyPrefix, entry.key)?.id ?? '')
        const decision = decideLeftover(entry, record, { keyPrefix, before })
        if (decision.reason === 'unknown') counts.unknown++
        if (!decision.remove) continue
        if (entry.kind === 'upload') await attempt('uploads', artifacts.abortUploads(entry.key))
        else if (await isFree(entry.key, record)) {
          await attempt('objects', artifacts.remove(entry.key))
        }
      }
    }
  }

  await expireDue()
  await removeLeftovers(exportsFolder(settings.keyPrefix))
  await removeLeftovers(archivesFolder(settings.keyPrefix))
  return { ...counts, ...(failure === undefined ? {} : { failure }) }
}

async function* inBatches(entries: AsyncIterable<StoredEntry>) {
  let batch: StoredEntry[] = []
  for await (const entry of entries) {
    batch.push(entry)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
