import type { ExportRecord } from './model.ts'
import { attemptsPrefix, parseObjectKey } from './object-key.ts'
import type { ArtifactStore } from './ports.ts'

export interface LeftoverDeps {
  readonly artifacts: Pick<ArtifactStore, 'list' | 'remove' | 'abortUploads'>
  readonly keyPrefix: string
}

/**
 * Removes what earlier attempts of a claimed export left in the store: their workers were killed, or
 * could not reach it to clean up. They can never complete any more, as the claim fences them.
 * @throws StoreError; what was not removed then, the sweep finds
 */
export async function removeLeftovers(
  { artifacts, keyPrefix }: LeftoverDeps,
  record: Pick<ExportRecord, 'id' | 'attempt' | 'spec' | 'archive'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  for await (const { kind, key } of artifacts.list(attemptsPrefix(keyPrefix, record), { signal })) {
    signal.throwIfAborted()
    const owner = parseObjectKey(keyPrefix, key)
    if (owner === undefined || owner.attempt >= record.attempt) continue
    await (kind === 'object' ? artifacts.remove(key) : artifacts.abortUploads(key))
  }
}
