import { describe, expect, it } from 'vitest'
import type { ArtifactStore } from '../../src/export/ports.ts'
import { MiB } from '../../src/runtime/units.ts'
import { chunksOf, patternBytes, sha256 } from '../support/chunks.ts'

interface CopyTest {
  readonly store: ArtifactStore
  readonly download: (key: string) => Promise<Buffer>
  /** Keys that begin so, of objects and of uploads that are not finished. */
  readonly remaining: (prefix: string) => Promise<readonly string[]>
}

const options = () => ({ contentType: 'application/json', signal: new AbortController().signal })

/** How an ArtifactStore copies. */
export function describeCopies(made: () => CopyTest): void {
  describe('copy', () => {
    it.each([
      ['nothing', 0],
      ['a few bytes', 11],
      ['an object of several parts', 17 * MiB + 3],
    ])('makes the same object of %s', async (title, length) => {
      const { store, download } = made()
      const [from, to] = [`copies/${title} ünï+&.json`, `copies/to ${title} ünï+&.json`]
      const bytes = patternBytes(length)
      await store.put(from, chunksOf(bytes), options())
      const copied = await store.copy(from, to)
      expect(copied).toMatchObject({ key: to, bytes: length })
      expect(await store.stat(to)).toEqual(copied)
      expect(sha256(await download(to))).toBe(sha256(bytes))
      expect(sha256(await download(from))).toBe(sha256(bytes))
    })

    it('finds nothing to copy where nothing is, and leaves nothing', async () => {
      const { store, remaining } = made()
      expect(await store.copy('copies/nowhere.json', 'copies/never.json')).toBeUndefined()
      expect(await remaining('copies/never')).toEqual([])
    })

    it('may be done again, and by many at the same time', async () => {
      const { store, download } = made()
      const bytes = patternBytes(9 * MiB)
      await store.put('copies/many.json', chunksOf(bytes), options())
      const copy = () => store.copy('copies/many.json', 'copies/same.json')
      const copies = await Promise.all([copy(), copy(), copy()])
      expect(new Set(copies.map((copied) => copied?.bytes))).toEqual(new Set([bytes.length]))
      expect(await copy()).toMatchObject({ bytes: bytes.length })
      await store.remove('copies/many.json')
      expect(sha256(await download('copies/same.json'))).toBe(sha256(bytes))
    })
  })
}
