import { describe, expect, it } from 'vitest'
import { pruneNightly, type NightlyPruneOptions } from '../../src/archive/prune-nightly.ts'
import { StoreError } from '../../src/errors.ts'
import { createRetentionWorld } from '../support/retention-world.ts'

const signal = new AbortController().signal

/** Six days, by a policy that keeps two of them. */
async function setup(text = 'daily 2', days = 6) {
  const world = await createRetentionWorld(days)
  const { deps, ledger, archive, definition, policy } = world
  const told: string[] = []
  let retention: typeof ledger = ledger
  const run = (
    artifacts = deps.artifacts,
    keep = text,
    limits: Omit<NightlyPruneOptions, 'signal'> = {},
  ) =>
    pruneNightly(
      {
        ...{ ...deps, artifacts, ledger, retention },
        onUnconfirmed: ({ name }, each, windows) => told.push(`${name}: ${each.text}: ${windows}`),
        onProblem: ({ window, problem }) => told.push(`${window.name}: ${problem ?? ''}`),
        onMoreProblems: ({ name }, windows) => told.push(`${name}: ${windows} more`),
      },
      [
        { ...definition, keep: policy(keep) },
        { ...definition, name: 'not-entered' },
      ],
      { signal, ...limits },
    )
  return {
    ...{ ...world, run, told },
    confirm: (keep: string) => ledger.confirmKeep(archive.name, keep),
    /** Counts how many windows the ledger lists. */
    countListed: () => {
      let listed = 0
      const counted = async (found: ReturnType<typeof ledger.listKept>) => {
        listed += (await found).length
        return found
      }
      retention = {
        ...ledger,
        listKept: (name) => counted(ledger.listKept(name)),
        listArchived: (name, page) => counted(ledger.listArchived(name, page)),
      }
      return () => listed
    },
    /** Their objects are gone, their manifests are not. */
    damage: async (...dates: string[]) => {
      for (const date of dates) await deps.artifacts.remove(world.keysOf(`dt=${date}/`)[0]!)
    },
  }
}

describe('the nightly retention', () => {
  it('deletes nothing by a policy that nobody has confirmed, and says so', async () => {
    const { run, told, keysOf } = await setup()
    expect(await run()).toEqual({ deleted: 0, undeleted: 0 })
    expect(told).toEqual(['services: daily 2: 4'])
    expect(keysOf('')).toHaveLength(12)
  })

  it('deletes by the policy that was confirmed, and by no other', async () => {
    const { run, told, keysOf, confirm } = await setup()
    await confirm('daily 3')
    expect(await run()).toEqual({ deleted: 0, undeleted: 0 })
    expect(told).toEqual(['services: daily 2: 4'])
    await confirm('daily 2')
    expect(await run()).toEqual({ deleted: 4, undeleted: 0 })
    expect(await run()).toEqual({ deleted: 0, undeleted: 0 })
    expect(told).toHaveLength(1)
    expect(keysOf('')).toHaveLength(4)
  })

  it('is silent where a policy keeps everything', async () => {
    const { run, told } = await setup('for ever')
    expect(await run()).toEqual({ deleted: 0, undeleted: 0 })
    expect(told).toEqual([])
  })

  it('says what could not be deleted, and goes on with what is left of it, whatever the policy is by then', async () => {
    const { run, told, confirm, artifacts, keysOf } = await setup()
    await confirm('daily 2')
    const denied = new StoreError('STORE_DENIED', 'The bucket says no.')
    const remove = (key: string) =>
      key.includes('dt=2026-03-26/') ? Promise.reject(denied) : artifacts.remove(key)
    expect(await run({ ...artifacts, remove })).toEqual({ deleted: 3, undeleted: 1 })
    expect(told).toEqual(['2026-03-26: The bucket says no.'])
    expect(await run(artifacts, 'for ever')).toEqual({ deleted: 1, undeleted: 0 })
    expect(keysOf('')).toHaveLength(4)
  })

  it('lists nothing of what is kept for ever, and only what is over of the rest', async () => {
    const { run, confirm, countListed } = await setup()
    const listed = countListed()
    await run(undefined, 'for ever')
    expect(listed()).toBe(0)
    await confirm('daily 2')
    expect(await run()).toEqual({ deleted: 4, undeleted: 0 })
    expect(listed()).toBe(4)
    await run()
    expect(listed()).toBe(4)
  })

  it('counts what an unconfirmed policy would delete page by page, without what is held', async () => {
    const { run, told, ledger, archive, windowNamed } = await setup()
    const { from, to } = await windowNamed('2026-03-26')
    await ledger.placeHold({ archive: archive.name, from, to, reason: 'a', placedAt: from })
    await run(undefined, 'daily 2', { pageSize: 1 })
    expect(told).toEqual(['services: daily 2: 3'])
  })

  it('deletes a bounded number in a look, and what must stay holds up nothing behind it', async () => {
    const { run, confirm, told, damage, states } = await setup()
    await confirm('daily 2')
    await damage('2026-03-25', '2026-03-26')
    const limits = { limit: 1, pageSize: 1 }
    expect(await run(undefined, 'daily 2', limits)).toEqual({ deleted: 1, undeleted: 2 })
    expect(await run(undefined, 'daily 2', limits)).toEqual({ deleted: 1, undeleted: 2 })
    expect(await run(undefined, 'daily 2', limits)).toEqual({ deleted: 0, undeleted: 2 })
    expect((await states()).map((each) => each.split(' ')[1])).toEqual([
      ...['archived', 'archived', 'deleted', 'deleted', 'archived', 'archived'],
    ])
    expect(told).toHaveLength(6)
  })

  it('deletes no more in the ledger than it may where a store removes nothing', async () => {
    const { run, confirm, artifacts, states } = await setup()
    await confirm('daily 2')
    const denied = new StoreError('STORE_DENIED', 'The bucket says no.')
    const remove = () => Promise.reject(denied)
    const limits = { limit: 1, pageSize: 1 }
    const report = await run({ ...artifacts, remove }, 'daily 2', limits)
    expect(report).toEqual({ deleted: 0, undeleted: 1 })
    expect((await states()).filter((each) => each.endsWith('deleted'))).toHaveLength(1)
  })

  it('tells of twenty windows in a look, and how many more there are', async () => {
    const { run, confirm, told, damage, windowNamed, ledger, archive } = await setup('daily 2', 25)
    await confirm('daily 2')
    const all = await ledger.listKept(archive.name)
    await damage(...all.slice(0, 23).map(({ name }) => name))
    expect(await windowNamed('2026-03-25')).toMatchObject({ state: 'archived' })
    expect(await run()).toEqual({ deleted: 0, undeleted: 23 })
    expect(told).toHaveLength(21)
    expect(told.at(-1)).toBe('services: 3 more')
  })
})
