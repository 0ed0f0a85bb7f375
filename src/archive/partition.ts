/** What lies in the partition of a window. */
import { instantOf } from '../export/instant.ts'
import { windowPrefix } from '../export/object-key.ts'
import type { ArtifactStore, ListOptions, StoredEntry } from '../export/ports.ts'
import type { LedgerWindow } from './model.ts'

export interface PartitionDeps {
  readonly artifacts: Pick<ArtifactStore, 'list' | 'remove' | 'abortUploads'>
  readonly settings: { readonly keyPrefix: string }
}

/**
 * What there is of a window besides one object: whoever reads the partition would read that, too, also what an attempt that is still
 * at work uploads. @param only where no attempt was before
 */
export async function listOthers(
  { artifacts, settings: { keyPrefix } }: PartitionDeps,
  window: LedgerWindow,
  kept: string | undefined,
  options: ListOptions,
): Promise<readonly StoredEntry[]> {
  const range = { from: instantOf(window.from), to: instantOf(window.to) }
  const written = windowPrefix(keyPrefix, { ...window, name: window.archive }, { range })
  const others: StoredEntry[] = []
  for await (const entry of artifacts.list(written, options)) {
    if (entry.kind === 'upload' || entry.key !== kept) others.push(entry)
  }
  return others
}

export async function removeAll(
  { artifacts }: Pick<PartitionDeps, 'artifacts'>,
  entries: readonly StoredEntry[],
): Promise<void> {
  for (const { kind, key } of entries) {
    await (kind === 'upload' ? artifacts.abortUploads(key) : artifacts.remove(key))
  }
}
