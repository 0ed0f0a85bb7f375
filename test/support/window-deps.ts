import type { WindowDeps } from '../../src/archive/window-steps.ts'
import { compareArtifacts } from '../../src/verify/compare-artifacts.ts'
import { chunksOf } from './chunks.ts'
import { worldNow, type createRetentionWorld } from './retention-world.ts'

/** What archives windows, in the memory of a world; nobody takes up what it asks for. */
export function windowDeps(
  { ledger, records, artifacts, put }: Awaited<ReturnType<typeof createRetentionWorld>>,
  { openWindows = 4 } = {},
): WindowDeps {
  return {
    ...{ ledger, records, artifacts, clock: { now: () => worldNow } },
    queue: { enqueue: () => Promise.resolve() },
    comparer: compareArtifacts({
      read: (key) => {
        const body = artifacts.objects.get(key)
        return Promise.resolve(body === undefined ? undefined : chunksOf(body))
      },
    }),
    manifests: {
      get: (key) => Promise.resolve(artifacts.objects.get(key)?.toString()),
      async putOnce(key, text) {
        if (artifacts.objects.has(key)) return false
        await put(key, text)
        return true
      },
    },
    lookAtReplay: () => Promise.resolve(undefined),
    settings: { keyPrefix: 'p/', openWindows },
  }
}
