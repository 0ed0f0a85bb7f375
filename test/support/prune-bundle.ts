import { planPrune, prune, type PruneDeps, type PrunedWindow } from '../../src/archive/prune.ts'
import { supersededKey } from '../../src/export/object-key.ts'
import { createRetentionWorld } from './retention-world.ts'

const signal = new AbortController().signal
/** `2026-03-25 deleted`, of each. */
export const told = (pruned: readonly PrunedWindow[]) =>
  pruned.map(({ window, outcome }) => `${window.name} ${outcome}`)

/** Six days, from 2026-03-25 to 2026-03-30, of which two are kept. */
export async function createPruneBundle() {
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
  /** Archives a window anew: the generation before lies below `_superseded/` from then on. */
  async function repair(date: string) {
    const { archiveWindow, windowNamed, keysOf, put, artifacts } = world
    const [first = ''] = keysOf(`dt=${date}/`)
    await archiveWindow(await windowNamed(date), 2)
    await put(supersededKey('p/', first), String(artifacts.objects.get(first)))
    await artifacts.remove(first)
  }
  return { ...world, run, repair }
}

export const doomed = ['2026-03-25', '2026-03-26', '2026-03-27', '2026-03-28']
export const kept = ['2026-03-29', '2026-03-30']
/** What is to be, in the end. */
export const allDone = [
  ...doomed.map((day) => `${day} deleted`),
  ...kept.map((day) => `${day} archived`),
]
