import type { ExportRecord } from './model.ts'
import { attemptsFolder, parseObjectKey } from './object-key.ts'
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
  { id, attempt }: Pick<ExportRecord, 'id' | 'attempt'>,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  for await (const { kind, key } of artifacts.list(attemptsFolder(keyPrefix, id), { signal })) {
    signal.throwIfAborted()
    const owner = parseObjectKey(keyPrefix, key)
    if (owner === undefined || owner.attempt >= attempt) continue
    await (kind === 'object' ? artifacts.remove(key) : artifacts.abortUploads(key))
  }
}
