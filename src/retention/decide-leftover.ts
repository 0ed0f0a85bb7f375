import type { ExportRecord } from '../export/model.ts'
import {
  archiveProbesFolder,
  isManifestKey,
  parseObjectKey,
  partitionKey,
  probesFolder,
  supersededKey,
} from '../export/object-key.ts'
import type { StoredEntry } from '../export/ports.ts'

/** What a sweep does with an entry of the store, and why. */
export type LeftoverDecision =
  /**
   * Nobody will need it: its attempt is over and did not win, its artifact has expired, or it is of a `longhaul
   * doctor` that was killed.
   */
  | { readonly remove: true; readonly reason: 'lost' | 'expired' | 'probe' }
  /**
   * `young`: may be cleaned up by its worker yet. `running`: of the attempt that runs. `artifact`: the
   * winner. `manifest`: of an archive. `unknown`: not of an export, or an attempt, that this control database knows.
   */
  | {
      readonly remove: false
      readonly reason: 'young' | 'running' | 'artifact' | 'manifest' | 'unknown'
    }

const keep = (reason: (LeftoverDecision & { remove: false })['reason']): LeftoverDecision => ({
  remove: false,
  reason,
})

/** A doctor lives for a minute: nobody's is taken away from under it, whatever `before` is, ms. */
const probeLifeMs = 3_600_000

/**
 * Decides what becomes of an entry below the folder of all exports, or that of all archives. What this control database does
 * not know is never removed: it may be another installation's, or a newer state's of a database that
 * was set back in time. Pure.
 * @param record of the export that the key names, if there is one
 * @param before removed is only what is older than that
 */
export function decideLeftover(
  { kind, key, at }: StoredEntry,
  record: ExportRecord | undefined,
  { keyPrefix, before }: { readonly keyPrefix: string; readonly before: Date },
): LeftoverDecision {
  if ([probesFolder, archiveProbesFolder].some((below) => key.startsWith(below(keyPrefix)))) {
    const over = at.getTime() < before.getTime() - probeLifeMs
    return over ? { remove: true, reason: 'probe' } : keep('young')
  }
  if (isManifestKey(keyPrefix, key)) return keep('manifest')
  const owner = parseObjectKey(keyPrefix, key)
  if (owner === undefined || record?.id !== owner.id || owner.attempt > record.attempt) {
    return keep('unknown')
  }
  if (record.state === 'running' && owner.attempt === record.attempt) return keep('running')
  // an upload that is still open under the winner's key was begun twice: it never becomes an object
  if (
    record.state === 'completed' &&
    kind === 'object' &&
    placesOf(keyPrefix, record).includes(key)
  ) {
    return keep('artifact')
  }
  if (at >= before) return keep('young')
  return { remove: true, reason: record.artifact?.key === key ? 'expired' : 'lost' }
}

/** Where the artifact of a completed export lies, and where it may just be moved to within its archive. */
function placesOf(keyPrefix: string, record: ExportRecord): readonly (string | undefined)[] {
  const { archive, artifact } = record
  if (archive === undefined) return [artifact?.key]
  const place = partitionKey(keyPrefix, record)
  return [artifact?.key, place, supersededKey(keyPrefix, place)]
}
