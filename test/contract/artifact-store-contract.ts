import { beforeAll, describe, expect, it } from 'vitest'
import { SourceError } from '../../src/errors.ts'
import type { ArtifactStore } from '../../src/export/ports.ts'
import { MiB } from '../../src/runtime/units.ts'
import { chunksOf, patternBytes, sha256 } from '../support/chunks.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import type { Release } from '../support/release.ts'
import { describeAborts } from './artifact-store-aborts.ts'
import { describeCopies } from './artifact-store-copies.ts'
import { describeEntries } from './artifact-store-entries.ts'

export interface StoreUnderTest {
  readonly store: ArtifactStore
  /** Keys of all objects, and of all uploads that are not finished. */
  leftovers(): Promise<readonly string[]>
}
export type MakeArtifactStore = (release: Release) => StoreUnderTest | Promise<StoreUnderTest>

const contentType = 'application/json'
const options = () => ({ contentType, signal: new AbortController().signal })

/** What every implementation of ArtifactStore does. */
export function describeArtifactStore(name: string, make: MakeArtifactStore): void {
  describe(name, () => {
    let made: StoreUnderTest
    let store: ArtifactStore
    const release = releaseAfterAll()
    beforeAll(async () => {
      made = await make(release)
      store = made.store
    })

    const link = (key: string) =>
      store.link(key, { ttlSeconds: 60, fileName: 'services.json', contentType })
    const download = async (key: string) => {
      const response = await fetch((await link(key)).url)
      return Buffer.from(await response.arrayBuffer())
    }

    describe('put', () => {
      it.each([
        ['an empty array', Buffer.from('[]')],
        ['less than one part', patternBytes(3 * MiB + 1)],
        ['exactly one part', patternBytes(8 * MiB)],
        ['several parts', patternBytes(25 * MiB + 7)],
      ])('stores the exact bytes of %s', async (title, bytes) => {
        const key = `exact/${title.replaceAll(' ', '-')}.json`
        const stored = await store.put(key, chunksOf(bytes), options())
        expect(stored).toMatchObject({ key, bytes: bytes.length })
        expect(stored.etag).not.toBe('')
        expect(sha256(await download(key))).toBe(sha256(bytes))
        expect(await store.stat(key)).toEqual(stored)
      })

      it('keeps the order of chunks whose sizes fit no part', async () => {
        const bytes = patternBytes(17 * MiB + 3)
        await store.put('order.json', chunksOf(bytes, 777_777), options())
        expect(sha256(await download('order.json'))).toBe(sha256(bytes))
      })

      it('is right whatever size was expected', async () => {
        const bytes = patternBytes(9 * MiB)
        for (const estimatedBytes of [0, 1, 100 * MiB]) {
          const stored = await store.put('guess.json', chunksOf(bytes), {
            ...options(),
            estimatedBytes,
          })
          expect(stored.bytes).toBe(bytes.length)
        }
      })

      it('shows nothing before the object is whole', async () => {
        const key = 'whole.json'
        const seen: unknown[] = []
        async function* watched() {
          for await (const chunk of chunksOf(patternBytes(25 * MiB))) {
            seen.push(await store.stat(key))
            yield chunk
          }
          seen.push(await store.stat(key))
        }
        await store.put(key, watched(), options())
        expect(seen).toEqual(Array.from({ length: 26 }, () => undefined))
        expect(await store.stat(key)).toBeDefined()
      })

      it.each([
        'with spaces and (brackets).json',
        'with+plus & ampersand=1?x#y.json',
        'ünï/çødé/日本語/😀.json',
        'percent%20sign.json',
        "quote's.json",
        'a.b~c_d-e!*.json',
      ])('takes the key %s as it is', async (key) => {
        const bytes = Buffer.from(JSON.stringify(key))
        await store.put(key, chunksOf(bytes), options())
        expect(await store.stat(key)).toMatchObject({ key, bytes: bytes.length })
        expect((await download(key)).toString()).toBe(bytes.toString())
        await store.remove(key)
        expect(await store.stat(key)).toBeUndefined()
      })
    })

    describe('a source that fails', () => {
      async function* failing(error: Error, afterBytes: number) {
        yield* chunksOf(patternBytes(afterBytes))
        throw error
      }

      it.each([
        ['before the first byte', 0],
        ['within the first part', 2 * MiB],
        ['after two parts', 20 * MiB],
      ])('leaves neither object nor open upload: %s', async (title, afterBytes) => {
        const error = new SourceError('SOURCE_UNAVAILABLE', 'the connection was lost')
        const put = store.put(`fails/${title}.json`, failing(error, afterBytes), options())
        await expect(put).rejects.toBe(error)
        expect(await remaining(`fails/${title}`)).toEqual([])
      })

      it('passes on an error that is a bug, instead of blaming the store', async () => {
        const error = new TypeError('not a function')
        const put = store.put('fails/bug.json', failing(error, 20 * MiB), options())
        await expect(put).rejects.toBe(error)
        expect(await remaining('fails/bug')).toEqual([])
      })
    })

    const remaining = async (prefix: string) =>
      (await made.leftovers()).filter((key) => key.startsWith(prefix))
    describeAborts(() => ({ store, remaining }))
    describeEntries(() => store)
    describeCopies(() => ({ store, download, remaining }))

    describe('stat and remove', () => {
      it('knows nothing of an object that is not there', async () => {
        expect(await store.stat('nowhere.json')).toBeUndefined()
        expect(await store.stat('nowhere/')).toBeUndefined()
      })

      it('removes an object, and does it again without harm', async () => {
        await store.put('gone.json', chunksOf(Buffer.from('[]')), options())
        await store.remove('gone.json')
        expect(await store.stat('gone.json')).toBeUndefined()
        await store.remove('gone.json')
        await store.remove('never/was.json')
      })

      it('removes this object only', async () => {
        for (const key of ['near/a', 'near/ab', 'near/a/b']) {
          await store.put(key, chunksOf(Buffer.from('[]')), options())
        }
        await store.remove('near/a')
        expect([...(await remaining('near/'))].sort()).toEqual(['near/a/b', 'near/ab'])
      })

      it('replaces an object that was there', async () => {
        await store.put('twice.json', chunksOf(Buffer.from('[1]')), options())
        await store.put('twice.json', chunksOf(Buffer.from('[1,\n2]')), options())
        expect((await download('twice.json')).toString()).toBe('[1,\n2]')
      })
    })

    describe('a link', () => {
      it('says when it ends, and serves the type that was asked for', async () => {
        await store.put('linked.json', chunksOf(Buffer.from('[]')), options())
        const before = Date.now()
        const { url, expiresAt } = await link('linked.json')
        // whole seconds, as signatures have them
        expect(expiresAt.getTime()).toBeGreaterThan(before + 58_000)
        expect(expiresAt.getTime()).toBeLessThanOrEqual(Date.now() + 60_000)
        const response = await fetch(url)
        expect(response.status).toBe(200)
        expect(response.headers.get('content-type')).toBe(contentType)
      })
    })
  })
}
