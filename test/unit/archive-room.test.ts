import { describe, expect, it, onTestFinished } from 'vitest'
import { archiveWindows } from '../../src/archive/archive-windows.ts'
import { backfill, planBackfill } from '../../src/archive/backfill.ts'
import { createRetentionWorld, worldNow } from '../support/retention-world.ts'
import { until } from '../support/until.ts'
import { windowDeps } from '../support/window-deps.ts'

const dates = { from: '2026-01-01', to: '2026-01-31' }
const { signal } = new AbortController()

async function setup() {
  const world = await createRetentionWorld(2)
  const { ledger, archive, definition } = world
  const openDays = async () => (await ledger.listOpen(archive.name)).map(({ name }) => name)
  /** Its exports run for as long as the test. */
  async function beginBackfill() {
    const ending = new AbortController()
    const plan = planBackfill(definition, dates, worldNow)
    const deps = windowDeps(world, { openWindows: 8 })
    const running = backfill(deps, plan, { signal: ending.signal })
    onTestFinished(async () => {
      ending.abort(new Error('The test is over.'))
      await expect(running).rejects.toThrow('The test is over.')
    })
    await until(async () => (await openDays()).filter((day) => day < '2026-03').length === 8)
  }
  const look = () => archiveWindows(windowDeps(world), definition, { signal })
  return { openDays, beginBackfill, look }
}

describe('the windows of an archive that are open', () => {
  it('of a backfill leave the schedule its room', async () => {
    const { openDays, beginBackfill, look } = await setup()
    await beginBackfill()
    expect(await look()).toMatchObject({ planned: 4, requested: 4, open: 12 })
    const scheduled = ['2026-03-27', '2026-03-28', '2026-03-29', '2026-03-30']
    expect((await openDays()).slice(-4)).toEqual(scheduled)
    expect(await look()).toMatchObject({ planned: 0, requested: 0, open: 12 })
  })

  it('of the schedule leave a backfill its room', async () => {
    const { openDays, beginBackfill, look } = await setup()
    expect(await look()).toMatchObject({ planned: 4, open: 4 })
    await beginBackfill()
    expect(await openDays()).toHaveLength(12)
  })
})
