import { describe, expect, it } from 'vitest'
import type { PruneDeps } from '../../src/archive/prune.ts'
import { allDone, createPruneBundle as setup, doomed, kept, told } from '../support/prune-bundle.ts'
import { worldNow } from '../support/retention-world.ts'

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
    await artifacts.remove(manifestOf('2026-03-26'))
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
    const { run, repair, keysOf } = await setup()
    await repair('2026-03-25')
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
        const key = manifestOf('2026-03-26')
        await put(key, String(artifacts.objects.get(key)).replace('"rows":2', '"rows":3'))
      },
      /is not as it was written/,
    ],
    [
      'whose manifest is of another window',
      async ({ manifestOf, artifacts, put }) => {
        const other = artifacts.objects.get(manifestOf('2026-03-30'))
        await put(manifestOf('2026-03-26'), String(other))
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
      'of which there is a later generation that the ledger has not',
      async ({ put, keysOf }) => put(keysOf('dt=2026-03-26/')[0]!.replace('_g1_', '_g2_'), 'x'),
      /_g2_.* is of no generation that the ledger has archived/,
    ],
    [
      'of which there is an earlier generation that the ledger has not',
      async ({ put, keysOf }) => {
        const [key] = keysOf('dt=2026-03-26/')
        await put(key!.replace('dt=', '_superseded/dt=').replace('_g1_', '_g7_'), 'x')
      },
      /_superseded\/.*_g7_.* is of no generation that the ledger has archived/,
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
    await artifacts.remove(manifestOf('2026-03-25'))
    expect((await run())[0]).toMatchObject({ outcome: 'deleted', rows: 0, bytes: 0 })
    expect(await states()).toEqual(allDone)
  })
})
