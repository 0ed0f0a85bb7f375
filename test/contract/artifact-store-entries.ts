import { describe, expect, it } from 'vitest'
import type { ArtifactStore, StoredEntry } from '../../src/export/ports.ts'
import { chunksOf } from '../support/chunks.ts'

const options = { contentType: 'application/json', signal: new AbortController().signal }

/** What a store says that it holds. */
export function describeEntries(store: () => ArtifactStore): void {
  const list = async (prefix: string) => {
    const found: StoredEntry[] = []
    for await (const entry of store().list(prefix, options)) found.push(entry)
    return found
  }

  describe('a listing', () => {
    it('has what lies below the prefix, with its time, and nothing else', async () => {
      const before = Date.now()
      const keys = ['listed/a/1.json', 'listed/a/ü +&.json', 'listed/ab/1.json']
      for (const key of keys) await store().put(key, chunksOf(Buffer.from('[]')), options)
      const found = await list('listed/a/')
      expect(found.map(({ kind, key }) => [kind, key]).sort()).toEqual([
        ['object', 'listed/a/1.json'],
        ['object', 'listed/a/ü +&.json'],
      ])
      for (const { at } of found) {
        // whole seconds in some stores
        expect(at.getTime()).toBeGreaterThanOrEqual(before - 1000)
        expect(at.getTime()).toBeLessThanOrEqual(Date.now() + 1000)
      }
      expect(await list('listed/nothing/')).toEqual([])
    })

    it('may be left early', async () => {
      for await (const { key } of store().list('listed/', options)) {
        expect(key).toMatch(/^listed/)
        break
      }
    })
  })
}
