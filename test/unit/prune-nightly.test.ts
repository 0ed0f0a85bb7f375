import { describe, expect, it } from 'vitest'
import { pruneNightly } from '../../src/archive/prune-nightly.ts'
import { StoreError } from '../../src/errors.ts'
import { createRetentionWorld } from '../support/retention-world.ts'

const signal = new AbortController().signal

/** Six days, by a policy that keeps two of them. */
async function setup(text = 'daily 2') {
  const world = await createRetentionWorld(6)
  const { deps, ledger, archive, definition, policy } = world
  const told: string[] = []
  const run = (artifacts = deps.artifacts, keep = text) =>
    pruneNightly(
      {
        ...{ ...deps, artifacts, ledger },
        onUnconfirmed: ({ name }, each, windows) => told.push(`${name}: ${each.text}: ${windows}`),
        onProblem: ({ window, problem }) => told.push(`${window.name}: ${problem ?? ''}`),
      },
      [
        { ...definition, keep: policy(keep) },
        { ...definition, name: 'not-entered' },
      ],
      { signal },
    )
  return { ...world, run, told, confirm: (keep: string) => ledger.confirmKeep(archive.name, keep) }
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
})
