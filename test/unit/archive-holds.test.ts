import { describe, expect, it } from 'vitest'
import { listHolds, placeHold, releaseHold, type HoldRequest } from '../../src/archive/holds.ts'
import { createRetentionWorld, worldNow } from '../support/retention-world.ts'

/** Three days, from 2026-03-25 on. */
async function setup() {
  const world = await createRetentionWorld(3)
  const deps = { ledger: world.ledger, retention: world.ledger }
  const place = (request: Partial<HoldRequest> = {}) =>
    placeHold(
      deps,
      { archive: 'services', from: '2026-03-26', reason: 'a lawsuit', ...request },
      worldNow,
    )
  return { ...world, deps, place }
}

describe('a hold', () => {
  it('is of local dates, both included, and tells what it holds', async () => {
    const { place } = await setup()
    const { hold, dates, archived, deleted } = await place({ to: '2026-03-29', reason: ' why ' })
    expect(dates).toEqual({ from: '2026-03-26', to: '2026-03-29' })
    expect(hold).toMatchObject({
      from: new Date('2026-03-25T23:00:00Z'),
      // the day on which clocks are set is of it, too
      to: new Date('2026-03-29T22:00:00Z'),
      ...{ reason: 'why', placedAt: worldNow },
    })
    expect([archived, deleted]).toEqual([2, []])
  })

  it('without a last date has no end', async () => {
    const { place } = await setup()
    const { hold, dates } = await place()
    expect([hold.to, dates]).toEqual([undefined, { from: '2026-03-26' }])
  })

  it('tells what was deleted before it came', async () => {
    const { place, ledger, windowNamed } = await setup()
    await ledger.markDeleted(await windowNamed('2026-03-26'), { at: worldNow, reason: 'old' })
    const { archived, deleted } = await place()
    expect([archived, deleted.map(({ name }) => name)]).toEqual([1, ['2026-03-26']])
  })

  it('is listed until it is released, and released once', async () => {
    const { deps, place } = await setup()
    const { hold, dates } = await place()
    expect(await listHolds(deps, 'services')).toEqual([{ hold, dates }])
    expect(await listHolds(deps, undefined)).toHaveLength(1)
    expect(await releaseHold(deps, hold.id, worldNow)).toEqual({ hold, dates })
    expect(await listHolds(deps, undefined)).toEqual([])
    await expect(releaseHold(deps, hold.id, worldNow)).rejects.toMatchObject({
      ...{ code: 'HOLD_UNKNOWN', message: 'There is no hold 1, or it was released before.' },
    })
  })

  it.each<[Partial<HoldRequest>, string, string]>([
    [{ archive: 'others' }, 'ARCHIVE_UNKNOWN', 'There is no archive "others"'],
    [{ from: '2026-02-30' }, 'SPEC_INVALID', 'from: expected a date'],
    [{ to: 'tomorrow' }, 'SPEC_INVALID', 'to: expected a date'],
    [{ to: '2026-03-25' }, 'SPEC_INVALID', 'from: expected a date up to 2026-03-25'],
    [{ reason: '  ' }, 'SPEC_INVALID', 'reason: expected 1 to 500 characters'],
    [{ reason: 'x'.repeat(501) }, 'SPEC_INVALID', 'reason: expected 1 to 500 characters'],
  ])('is refused: %o', async (request, code, message) => {
    const { deps, place } = await setup()
    await expect(place(request)).rejects.toMatchObject({ code })
    await expect(place(request)).rejects.toThrow(message)
    expect(await listHolds(deps, undefined)).toEqual([])
    await expect(listHolds(deps, 'others')).rejects.toMatchObject({ code: 'ARCHIVE_UNKNOWN' })
  })
})
