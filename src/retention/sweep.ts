import { exportsFolder, parseObjectKey } from '../export/object-key.ts'
import type { ArtifactStore, ExportRecords, StoredEntry } from '../export/ports.ts'
import type { Clock } from '../runtime/clock.ts'
import { decideLeftover } from './decide-leftover.ts'

export interface SweepDeps {
  readonly records: Pick<ExportRecords, 'listDue' | 'expire' | 'getMany'>
  readonly artifacts: Pick<ArtifactStore, 'list' | 'remove' | 'abortUploads'>
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
  /** Entries below our folder that this control database does not know: they stay. */
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
  { records, artifacts, clock, settings }: SweepDeps,
  { signal }: { readonly signal: AbortSignal },
): Promise<SweepReport> {
  const counts = { expired: 0, objects: 0, uploads: 0, unknown: 0, failed: 0 }
  let failure: Error | undefined
  const removed = () => counts.expired + counts.objects + counts.uploads
  const enough = () => removed() >= maxRemovals || counts.failed >= maxFailures

  async function attempt(kind: 'expired' | 'objects' | 'uploads', work: Promise<void>) {
    try {
      await work
      counts[kind]++
    } catch (error) {
      counts.failed++
      failure ??= error instanceof Error ? error : new TypeError(String(error))
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

  async function removeLeftovers(): Promise<void> {
    const { keyPrefix, orphanAgeMs } = settings
    const before = new Date(clock.now().getTime() - orphanAgeMs)
    const entries = artifacts.list(exportsFolder(keyPrefix), { signal })
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
        if (entry.kind === 'object') await attempt('objects', artifacts.remove(entry.key))
        else await attempt('uploads', artifacts.abortUploads(entry.key))
      }
    }
  }

  await expireDue()
  await removeLeftovers()
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
