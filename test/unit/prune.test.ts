import { describe, expect, it } from 'vitest'
import { planPrune, prune, type PruneDeps, type PrunedWindow } from '../../src/archive/prune.ts'
import { StoreError } from '../../src/errors.ts'
import { supersededKey } from '../../src/export/object-key.ts'
import { createRetentionWorld, worldNow } from '../support/retention-world.ts'

const signal = new AbortController().signal
const told = (pruned: readonly PrunedWindow[]) =>
  pruned.map(({ window, outcome }) => `${window.name} ${outcome}`)

/** Six days, from 2026-03-25 to 2026-03-30, of which two are kept. */
async function setup() {
  const world = await createRetentionWorld(6)
  const run = async (
    {
      apply = true,
      text = 'daily 2',
      limit,
    }: { apply?: boolean; text?: string; limit?: number } = {},
    deps: PruneDeps = world.deps,
  ) => {
    const plan = await planPrune(deps, world.archive, world.policy(text))
    return prune(deps, plan, { signal, apply, ...(limit === undefined ? {} : { limit }) })
  }
  return { ...world, run }
}

const doomed = ['2026-03-25', '2026-03-26', '2026-03-27', '2026-03-28']
const kept = ['2026-03-29', '2026-03-30']
const allDone = [...doomed.map((day) => `${day} deleted`), ...kept.map((day) => `${day} archived`)]

describe('a look at what a policy does not keep', () => {
  it('says what would be deleted, why, and how much, and changes nothing', async () => {
    const { run, states, keysOf } = await setup()
    const before = [await states(), keysOf('')]
    const pruned = await run({ apply: false })
    expect(told(pruned)).toEqual(doomed.map((day) => `${day} deletable`))
    expect(pruned[0]).toMatchObject({
      ...{ rows: 2, bytes: 12 },
      reason: 'over before 2026-03-29, where what daily 2 keeps begins',
    })
    expect([await states(), keysOf('')]).toEqual(before)
  })

  it('says what could not be deleted', async () => {
    const { run, manifestOf, artifacts } = await setup()
    await artifacts.remove(await manifestOf('2026-03-26'))
    const [, second] = await run({ apply: false })
    expect(second).toMatchObject({ outcome: 'kept' })
    expect(second?.problem).toMatch(
      /^the manifest p\/archive\/services\/_manifests\/.* is not there$/,
    )
  })
})

describe('what a policy does not keep', () => {
  it('goes: objects, manifests and records, and stays known as deleted', async () => {
    const { run, states, keysOf, records, windowNamed } = await setup()
    const { exportId } = await windowNamed('2026-03-25')
    expect(told(await run())).toEqual(doomed.map((day) => `${day} deleted`))
    expect(await states()).toEqual(allDone)
    expect(keysOf('/dt=').map((key) => /dt=([\d-]+)/.exec(key)?.[1])).toEqual(kept)
    expect(keysOf('_manifests/')).toHaveLength(2)
    expect((await records.get(exportId!)).state).toBe('expired')
    expect(await windowNamed('2026-03-25')).toMatchObject({
      ...{ state: 'deleted', deletedAt: worldNow, removedAt: worldNow },
      deletedReason: 'over before 2026-03-29, where what daily 2 keeps begins',
    })
    expect(await run()).toEqual([])
  })

  it('goes a bounded number at a time', async () => {
    const { run } = await setup()
    expect(told(await run({ limit: 3 }))).toHaveLength(3)
    expect(told(await run({ limit: 3 }))).toEqual(['2026-03-28 deleted'])
  })

  it('goes with all its generations, also those that were replaced', async () => {
    const { run, archiveWindow, artifacts, windowNamed, put, keysOf } = await setup()
    const [first] = keysOf('dt=2026-03-25/')
    await archiveWindow(await windowNamed('2026-03-25'), 2)
    await put(supersededKey('p/', 'services', first!), String(artifacts.objects.get(first!)))
    await artifacts.remove(first!)
    expect(keysOf('_superseded/dt=2026-03-25/')).toHaveLength(1)
    const [pruned] = await run()
    expect(pruned).toMatchObject({ outcome: 'deleted', rows: 4, bytes: 24 })
    expect(keysOf('dt=2026-03-25/')).toEqual([])
    expect(keysOf('_manifests/')).toHaveLength(2)
  })

  it('stays where it is held, also by a hold that comes while it is looked at', async () => {
    const { run, ledger, deps, archive, windowNamed, states, keysOf } = await setup()
    const hold = async (name: string) => {
      const { from, to } = await windowNamed(name)
      await ledger.placeHold({ archive: archive.name, from, to, reason: 'a', placedAt: worldNow })
    }
    await hold('2026-03-26')
    const retention: PruneDeps['retention'] = {
      ...ledger,
      async markDeleted(latest, deletion) {
        if (latest.from.getTime() === (await windowNamed('2026-03-27')).from.getTime()) {
          await hold('2026-03-27')
        }
        return ledger.markDeleted(latest, deletion)
      },
    }
    const pruned = await run({}, { ...deps, retention })
    expect(told(pruned)).toEqual(['2026-03-25 deleted', '2026-03-27 kept', '2026-03-28 deleted'])
    expect(pruned[1]?.problem).toContain('since it was looked at, it is held')
    expect((await states()).slice(0, 4)).toEqual([
      ...['2026-03-25 deleted', '2026-03-26 archived', '2026-03-27 archived', '2026-03-28 deleted'],
    ])
    expect(keysOf('/dt=')).toHaveLength(4)
    expect(keysOf('_manifests/')).toHaveLength(4)
    expect(told(await run())).toEqual([])
  })

  it('is gone for two that delete at the same time, without an error', async () => {
    const { run, states, keysOf } = await setup()
    const both = await Promise.all([run(), run()])
    for (const pruned of both)
      expect(pruned.every(({ problem }) => problem === undefined)).toBe(true)
    expect(await states()).toEqual(allDone)
    expect(keysOf('')).toHaveLength(4)
  })

  it.each<[string, (made: Awaited<ReturnType<typeof setup>>) => Promise<void>, RegExp]>([
    [
      'whose manifest was altered',
      async ({ manifestOf, artifacts, put }) => {
        const key = await manifestOf('2026-03-26')
        await put(key, String(artifacts.objects.get(key)).replace('"rows":2', '"rows":3'))
      },
      /is not as it was written/,
    ],
    [
      'whose manifest is of another window',
      async ({ manifestOf, artifacts, put }) => {
        const other = artifacts.objects.get(await manifestOf('2026-03-30'))
        await put(await manifestOf('2026-03-26'), String(other))
      },
      /the manifest .* is of another window/,
    ],
    [
      'whose object is not there',
      async ({ artifacts, keysOf }) => artifacts.remove(keysOf('dt=2026-03-26/')[0]!),
      /names .* of 12 bytes, which is not there/,
    ],
    [
      'whose object is of another size',
      async ({ put, keysOf }) => put(keysOf('dt=2026-03-26/')[0]!, 'x'),
      /names .* of 12 bytes, which has 1$/,
    ],
    [
      'beside whose object there is another',
      async ({ put, keysOf }) => put(keysOf('dt=2026-03-26/')[0]!.replace('-1.nd', '-2.nd'), 'x'),
      /no manifest names .*-2\.ndjson\.gz/,
    ],
  ])('stays, with all that there is of it, %s', async (_what, damage, expected) => {
    const made = await setup()
    await damage(made)
    const before = made.keysOf('2026-03-26')
    const pruned = await made.run()
    expect(told(pruned)).toEqual([
      ...['2026-03-25 deleted', '2026-03-26 kept', '2026-03-27 deleted', '2026-03-28 deleted'],
    ])
    expect(pruned[1]?.problem).toMatch(expected)
    expect(made.keysOf('2026-03-26')).toEqual(before)
    expect((await made.states())[1]).toBe('2026-03-26 archived')
    expect(told(await made.run())).toEqual(['2026-03-26 kept'])
  })

  it('is taken as deleted where nothing at all is there, as after a control database was set back', async () => {
    const { run, keysOf, artifacts, manifestOf, states } = await setup()
    await artifacts.remove(keysOf('dt=2026-03-25/')[0]!)
    await artifacts.remove(await manifestOf('2026-03-25'))
    expect((await run())[0]).toMatchObject({ outcome: 'deleted', rows: 0, bytes: 0 })
    expect(await states()).toEqual(allDone)
  })
})

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

  it.each(['before', 'after'] as const)(
    'in any step (%s it) leaves a step to be done, and nothing to be undone',
    async (when) => {
      let crashes = 0
      for (let at = 1; ; at++) {
        const { run, deps, states, keysOf, artifacts, ledger, archive } = await setup()
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
          expect(artifacts.objects.has(artifact.key)).toBe(true)
        }
        for (const day of kept) expect(keysOf(`dt=${day}/`)).toHaveLength(1)
        for (const { problem } of await run()) expect(problem).toBeUndefined()
        expect(await states()).toEqual(allDone)
        expect(keysOf('')).toHaveLength(4)
        expect(await ledger.listUnremoved(archive.name)).toEqual([])
      }
      expect(crashes).toBeGreaterThan(25)
    },
  )
})
