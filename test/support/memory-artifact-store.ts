import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { ArtifactStore } from '../../src/export/ports.ts'
import { aborted } from './deferred.ts'

export interface MemoryArtifactStore extends ArtifactStore {
  /** Every object, by key. */
  readonly objects: ReadonlyMap<string, Buffer>
}

/** ArtifactStore in memory; `artifact-store-contract.ts` holds it to what the real one does. */
export function createMemoryArtifactStore(): MemoryArtifactStore {
  const objects = new Map<string, Buffer>()
  const times = new Map<string, Date>()

  const statOf = (key: string, body: Buffer) => ({
    key,
    bytes: body.length,
    etag: `"${createHash('md5').update(body).digest('hex')}"`,
  })

  return {
    objects,

    async put(key, chunks, { signal }) {
      const iterator = chunks[Symbol.asyncIterator]()
      const parts: Buffer[] = []
      const stopped = aborted(signal)
      try {
        for (;;) {
          // a source that waits must not hold up an abort
          const next = await Promise.race([iterator.next(), stopped])
          signal.throwIfAborted()
          if (next.done === true) break
          parts.push(next.value)
          await setImmediate()
        }
      } catch (error) {
        // closes a source that runs; one that waits cannot be closed, nor waited for
        const closed = Promise.resolve(iterator.return?.()).catch(() => undefined)
        await Promise.race([closed, setImmediate()])
        throw error
      }
      objects.set(key, Buffer.concat(parts))
      times.set(key, new Date())
      return statOf(key, objects.get(key)!)
    },

    stat: (key) => {
      const body = objects.get(key)
      return Promise.resolve(body === undefined ? undefined : statOf(key, body))
    },

    copy: (from, to) => {
      const body = objects.get(from)
      if (body === undefined) return Promise.resolve(undefined)
      objects.set(to, body)
      times.set(to, new Date())
      return Promise.resolve(statOf(to, body))
    },

    remove: (key) => {
      objects.delete(key)
      return Promise.resolve()
    },

    // an upload that ends leaves nothing here, however it ends
    abortUploads: () => Promise.resolve(),

    async *list(prefix) {
      await setImmediate()
      for (const key of [...objects.keys()].filter((each) => each.startsWith(prefix))) {
        yield { kind: 'object', key, at: times.get(key)! }
      }
    },

    link: (key, { ttlSeconds, contentType }) => {
      const body = objects.get(key)?.toString('base64') ?? ''
      return Promise.resolve({
        url: `data:${contentType};base64,${body}`,
        expiresAt: new Date(Date.now() + ttlSeconds * 1000),
      })
    },
  }
}
