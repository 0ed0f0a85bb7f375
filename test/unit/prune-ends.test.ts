import { describe, expect, it } from 'vitest'
import type { PruneDeps } from '../../src/archive/prune.ts'
import { StoreError } from '../../src/errors.ts'
import { supersededKey } from '../../src/export/object-key.ts'
import { allDone, createPruneBundle as setup, doomed, kept, told } from '../support/prune-bundle.ts'

describe('a store', () => {
  it('that refuses one window leaves the others to go, and is asked again', async () => {
    const { run, deps, artifacts, keysOf, states, windowNamed } = await setup()
    const denied = new StoreError('STORE_DENIED', 'The bucket says no.')
    const remove = (key: string) =>
      key.includes('dt=2026-03-26/') ? Promise.reject(denied) : artifacts.remove(key)
    const pruned = await run({}, { ...deps, artifacts: { ...artifacts, remove } })
    expect(told(pruned)).toEqual([
      ...['2026-03-25 deleted', '2026-03-26 unremoved', '2026-03-27 deleted', '2026-03-28 deleted'],
    ])
    expect(pruned[1]?.problem).toBe('The bucket says no.')
    expect(await states()).toEqual(allDone)
    expect(await windowNamed('2026-03-26')).not.toHaveProperty('removedAt')
    expect(keysOf('dt=2026-03-26/')).toHaveLength(1)

    expect(told(await run({ apply: false }))).toEqual(['2026-03-26 deletable'])
    expect(told(await run())).toEqual(['2026-03-26 deleted'])
    expect(keysOf('dt=2026-03-26/')).toEqual([])
    expect(await run()).toEqual([])
  })

  it('that is away ends it, and nothing is lost by that', async () => {
    const { run, deps, artifacts, states } = await setup()
    const away = new StoreError('STORE_UNAVAILABLE', 'The store is away.')
    const stat = () => Promise.reject(away)
    await expect(run({}, { ...deps, artifacts: { ...artifacts, stat } })).rejects.toBe(away)
    expect((await states()).every((each) => each.endsWith('archived'))).toBe(true)
    const remove = () => Promise.reject(away)
    await expect(run({}, { ...deps, artifacts: { ...artifacts, remove } })).rejects.toBe(away)
    await run()
    expect(await states()).toEqual(allDone)
  })
})

describe('a process that dies', () => {
  const [repaired = ''] = doomed
  class Crash extends Error {}

  /** Dies with a call of a port, before it or after it. */
  function dying(deps: PruneDeps, at: number, when: 'before' | 'after') {
    let calls = 0
    const wrap = <Port extends object>(port: Port): Port =>
      new Proxy(port, {
        get: (target, name) => {
          const method = Reflect.get(target, name) as (...args: unknown[]) => unknown
          if (name === 'list') return method.bind(target)
          return async (...args: unknown[]) => {
            const isLast = ++calls >= at
            if (isLast && when === 'before') throw new Crash()
            const result = await method.apply(target, args)
            if (isLast) throw new Crash()
            return result
          }
        },
      })
    const { ledger, retention, records, artifacts, manifests } = deps
    return {
      ...deps,
      ...{ ledger: wrap(ledger), retention: wrap(retention), records: wrap(records) },
      ...{ artifacts: wrap(artifacts), manifests: wrap(manifests) },
    }
  }

  it.each([
    ['before', 1],
    ['after', 1],
    ['before', 2],
    ['after', 2],
  ] as const)(
    'in any step (%s it, with %i generations) leaves a step to be done, and nothing to be undone',
    async (when, generations) => {
      let crashes = 0
      for (let at = 1; ; at++) {
        const { run, repair, deps, states, keysOf, artifacts, ledger, archive } = await setup()
        if (generations === 2) await repair(repaired)
        const ended = await run({}, dying(deps, at, when)).then(
          () => true,
          (error: unknown) => {
            expect(error).toBeInstanceOf(Crash)
            return false
          },
        )
        if (ended) break
        crashes++
        // no manifest names what is not there
        for (const key of keysOf('_manifests/')) {
          const { artifact } = JSON.parse(String(artifacts.objects.get(key))) as {
            artifact: { key: string }
          }
          const places = [artifact.key, supersededKey('p/', artifact.key)]
          expect(places.filter((place) => artifacts.objects.has(place))).toHaveLength(1)
        }
        for (const day of kept) expect(keysOf(`dt=${day}/`)).toHaveLength(1)
        for (const { problem } of await run()) expect(problem).toBeUndefined()
        const again = generations === 2 ? [`${repaired} deleted`] : []
        expect(await states()).toEqual([...again, ...allDone])
        expect(keysOf('')).toHaveLength(4)
        expect(await ledger.listUnremoved(archive.name)).toEqual([])
      }
      expect(crashes).toBeGreaterThan(25)
    },
  )
})
