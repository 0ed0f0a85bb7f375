import { describe, expect, it } from 'vitest'
import { StoreError } from '../../src/errors.ts'
import type { ArtifactStore, StoredEntry } from '../../src/export/ports.ts'
import { removeLeftovers } from '../../src/export/remove-leftovers.ts'
import { newSpec } from '../support/new-export.ts'
import { exportBundle, fourRowsText, type ExportBundle } from '../support/export-bundle.ts'

const id = '8c1f5b4e-3a51-4b6e-9f0e-0d8f2f4f9a11'
const never = new AbortController().signal

/** A store that holds these entries, and tells what it was told to remove. */
function storeWith(entries: readonly (readonly [StoredEntry['kind'], string])[]) {
  const removed: string[] = []
  const store: Pick<ArtifactStore, 'list' | 'remove' | 'abortUploads'> = {
    async *list(prefix) {
      for (const [kind, key] of entries) {
        await Promise.resolve()
        if (key.startsWith(prefix)) yield { kind, key, at: new Date() }
      }
    },
    remove: (key) => Promise.resolve(void removed.push(`object ${key}`)),
    abortUploads: (key) => Promise.resolve(void removed.push(`upload ${key}`)),
  }
  return { store, removed }
}

/** An export whose first attempt was killed, behind an object. */
async function bundleWithLeftover(): Promise<ExportBundle> {
  const bundle = await exportBundle()
  const { attempt } = (await bundle.records.claim(bundle.id, { leaseMs: -1 }))!
  const left = `p/exports/${bundle.id}/${attempt}/left.json`
  await bundle.artifacts.put(left, (async function* () {})(), { contentType: '', signal: never })
  return bundle
}

async function expectOnlyArtifact({ artifacts, record }: ExportBundle): Promise<void> {
  const { artifact } = await record()
  expect([...artifacts.objects].map(([key, body]) => [key, String(body)])).toEqual([
    [artifact!.key, fourRowsText],
  ])
}

describe('what earlier attempts left', () => {
  it('is removed, and nothing else', async () => {
    const folder = `p/exports/${id}`
    const { store, removed } = storeWith([
      ['object', `${folder}/1/a.json`],
      ['upload', `${folder}/2/a.json`],
      ['upload', `${folder}/3/a.json`],
      ['object', `${folder}/4/a.json`],
      ['object', `${folder}/notes.txt`],
      ['object', `${folder}/1/by/hand.json`],
      ['object', `p/exports/${id}0/1/a.json`],
    ])
    const deps = { artifacts: store, keyPrefix: 'p/' }
    await removeLeftovers(deps, { id, attempt: 3, spec: newSpec() }, { signal: never })
    expect(removed).toEqual([`object ${folder}/1/a.json`, `upload ${folder}/2/a.json`])
  })

  it('is removed when another attempt begins', async () => {
    const bundle = await bundleWithLeftover()
    expect(await bundle.run()).toMatchObject({ outcome: 'completed' })
    await expectOnlyArtifact(bundle)
  })

  it('is removed when that attempt has ended, where the store was still away when it began', async () => {
    const bundle = await bundleWithLeftover()
    const { artifacts } = bundle
    let asked = 0
    const list: ArtifactStore['list'] = (...args) => {
      if (asked++ === 0) throw new StoreError('STORE_UNAVAILABLE', 'the store is away')
      return artifacts.list(...args)
    }
    const result = await bundle.run({ artifacts: { ...artifacts, list } })
    expect(result).toMatchObject({ outcome: 'completed' })
    await expectOnlyArtifact(bundle)
  })

  it('stays for the sweep where the store cannot be listed, and the attempt goes on', async () => {
    const bundle = await exportBundle()
    await bundle.records.claim(bundle.id, { leaseMs: -1 })
    const denied = new StoreError('STORE_DENIED', 'no listing here')
    const list: ArtifactStore['list'] = async function* () {
      await Promise.resolve()
      throw denied
    }
    const result = await bundle.run({ artifacts: { ...bundle.artifacts, list } })
    expect(result).toMatchObject({ outcome: 'completed' })
  })

  it('holds no attempt up for long where the store does not answer', async () => {
    const bundle = await exportBundle()
    await bundle.records.claim(bundle.id, { leaseMs: -1 })
    const list: ArtifactStore['list'] = () => ({
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    })
    const settings = { ...bundle.settings, leaseMs: 200 }
    const artifacts = { ...bundle.artifacts, list }
    expect(await bundle.run({ artifacts, settings })).toMatchObject({ outcome: 'completed' })
  })
})
