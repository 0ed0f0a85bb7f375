import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { WindowRequest } from '../../src/archive/model.ts'
import type { ArchiveLedger, RetentionLedger } from '../../src/archive/ports.ts'
import type { Release } from '../support/release.ts'
import { releaseAfterAll } from '../support/release-after-all.ts'
import { describeRetentionLists } from './retention-ledger-lists.ts'

export interface RetentionUnderTest {
  readonly ledger: ArchiveLedger
  readonly retention: RetentionLedger
  /** Id of an export that is there. */
  readonly createExport: () => Promise<string>
}

const now = new Date('2026-04-01T12:00:00Z')
const later = new Date('2026-04-02T12:00:00Z')
const start = new Date('2026-03-01T00:00:00Z')
const dayMs = 86_400_000
const request: WindowRequest = {
  ...{ dataset: 'services', filter_events: 'completed', filter_state: 'any' },
  ...{ export_content: true, format: 'ndjson', compression: 'gzip' },
}
const error = { code: 'SOURCE_TIMEOUT', message: 'too slow', retryable: true }
const deletion = { at: now, reason: 'too old' }

const dayAt = (nth: number) => {
  const from = new Date(start.getTime() + nth * dayMs)
  const date = from.toISOString().slice(0, 10)
  return { name: date, date, from, to: new Date(from.getTime() + dayMs) }
}

/** What every implementation of RetentionLedger does. */
export function describeRetentionLedger(
  name: string,
  make: (release: Release) => Promise<RetentionUnderTest>,
): void {
  describe(name, () => {
    let made: RetentionUnderTest
    const release = releaseAfterAll()
    beforeAll(async () => {
      made = await make(release)
    })

    /** An archive of its own with five days; `lead` brings a generation of one into a state. */
    async function setup(states: readonly ('planned' | 'running' | 'archived' | 'failed')[] = []) {
      const { ledger, retention, createExport } = made
      const archive = `archive-${randomUUID()}`
      const calendar = { unit: 'day', timeZone: 'UTC' } as const
      const schedule = { name: archive, calendar, start, settleMs: 0 }
      await ledger.open(schedule, now)
      const keyAt = (nth: number, generation = 1) => ({
        ...{ archive, from: dayAt(nth).from, generation },
      })
      async function lead(nth: number, state: (typeof states)[number], generation = 1) {
        const key = keyAt(nth, generation)
        await ledger.plan(key, dayAt(nth), request)
        const id = await createExport()
        if (state !== 'planned') await ledger.begin(key, id)
        if (state === 'archived') await ledger.finish(key, id, now)
        if (state === 'failed') await ledger.fail(key, id, { error, retryAt: now })
      }
      for (const [nth, state] of states.entries()) await lead(nth, state)
      const stateOf = async (nth: number, generation = 1) =>
        (await ledger.get(keyAt(nth, generation)))?.state
      const hold = (from: number, to?: number) =>
        retention.placeHold({
          ...{ archive, from: dayAt(from).from, reason: 'a lawsuit', placedAt: now },
          to: to === undefined ? undefined : dayAt(to).from,
        })
      return { ledger, retention, archive, schedule, keyAt, lead, stateOf, hold }
    }

    it('deletes an archived window once, and keeps what is known of it', async () => {
      const { ledger, retention, keyAt } = await setup(['archived'])
      const before = await ledger.get(keyAt(0))
      expect(await retention.markDeleted(keyAt(0), deletion)).toBe(true)
      expect(await ledger.get(keyAt(0))).toEqual({
        ...before,
        ...{ state: 'deleted', deletedAt: now, deletedReason: 'too old' },
      })
      expect(await retention.markDeleted(keyAt(0), { ...deletion, at: later })).toBe(false)
      expect(await ledger.get(keyAt(0))).toMatchObject({ deletedAt: now })
    })

    it('deletes all generations of a window together', async () => {
      const { ledger, retention, lead, keyAt, stateOf } = await setup(['archived', 'archived'])
      await lead(0, 'archived', 2)
      await lead(0, 'failed', 3)
      expect(await retention.markDeleted(keyAt(0, 2), deletion)).toBe(false)
      expect(await retention.markDeleted(keyAt(0, 3), deletion)).toBe(true)
      expect([await stateOf(0, 1), await stateOf(0, 2), await stateOf(0, 3)]).toEqual(
        Array(3).fill('deleted'),
      )
      expect(await ledger.get(keyAt(0, 3))).not.toHaveProperty('retryAt')
      expect(await stateOf(1)).toBe('archived')
    })

    it.each(['planned', 'running', 'failed'] as const)(
      'does not delete a window that is %s',
      async (state) => {
        const { retention, keyAt, stateOf } = await setup([state])
        expect(await retention.markDeleted(keyAt(0), deletion)).toBe(false)
        expect(await stateOf(0)).toBe(state)
      },
    )

    it.each(['planned', 'running'] as const)(
      'does not delete a window of which another generation is %s',
      async (state) => {
        const { retention, keyAt, lead, stateOf } = await setup(['archived'])
        await lead(0, state, 2)
        expect(await retention.markDeleted(keyAt(0, 2), deletion)).toBe(false)
        expect([await stateOf(0, 1), await stateOf(0, 2)]).toEqual(['archived', state])
      },
    )

    it('never plans a deleted window again, nor another generation of it, and counts it as covered', async () => {
      const { ledger, retention, archive, keyAt } = await setup(['archived', 'archived'])
      await retention.markDeleted(keyAt(0), deletion)
      expect(await ledger.plan(keyAt(0), dayAt(0), request)).toBe(false)
      expect(await ledger.plan(keyAt(0, 2), dayAt(0), request)).toBe(false)
      expect(await ledger.retryFailed(archive, { dueBy: later })).toBe(0)
      expect(await ledger.listOpen(archive)).toEqual([])
      expect(await ledger.coveredUntil(archive, start)).toEqual(dayAt(1).to)
      const listed = await ledger.listWindows(archive, { from: start, to: now })
      expect(listed.map(({ state }) => state)).toEqual(['deleted', 'archived'])
      expect((await retention.listKept(archive)).map(({ name: day }) => day)).toEqual([
        '2026-03-02',
      ])
    })

    describeRetentionLists(setup, dayAt)

    it('does not mark as removed what was not deleted', async () => {
      const { ledger, retention, keyAt } = await setup(['archived'])
      await retention.markRemoved(keyAt(0), now)
      expect(await ledger.get(keyAt(0))).not.toHaveProperty('removedAt')
    })

    it('does not delete what is held, also by a part of it, until that is released', async () => {
      const { retention, archive, keyAt, stateOf } = await setup(Array(4).fill('archived'))
      const half = (nth: number) => new Date(dayAt(nth).from.getTime() + dayMs / 2)
      const facts = { archive, from: half(1), to: half(2), reason: 'audit', placedAt: now }
      const { id, ...placed } = await retention.placeHold(facts)
      expect(placed).toEqual(facts)
      for (const nth of [0, 1, 2, 3]) await retention.markDeleted(keyAt(nth), deletion)
      const states = async () => Promise.all([0, 1, 2, 3].map((nth) => stateOf(nth)))
      expect(await states()).toEqual(['deleted', 'archived', 'archived', 'deleted'])
      expect(await retention.releaseHold(id, later)).toEqual({ id, ...facts })
      expect(await retention.releaseHold(id, later)).toBeUndefined()
      expect(await retention.markDeleted(keyAt(1), deletion)).toBe(true)
      expect(await states()).toEqual(['deleted', 'deleted', 'archived', 'deleted'])
    })

    it('holds what follows a hold without an end, but not what ends with its start', async () => {
      const { retention, hold, keyAt } = await setup(Array(3).fill('archived'))
      await hold(1)
      const deleted = await Promise.all(
        [0, 1, 2].map((nth) => retention.markDeleted(keyAt(nth), deletion)),
      )
      expect(deleted).toEqual([true, false, false])
    })

    it('holds one archive, and leaves the others to their policies', async () => {
      const held = await setup(['archived'])
      const other = await setup(['archived'])
      await held.hold(0)
      expect(await other.retention.markDeleted(other.keyAt(0), deletion)).toBe(true)
    })

    it('leaves in the bucket what is held after it was deleted', async () => {
      const { retention, archive, hold, keyAt } = await setup(['archived'])
      await retention.markDeleted(keyAt(0), deletion)
      const { id } = await hold(0, 1)
      expect(await retention.listUnremoved(archive)).toEqual([])
      await retention.releaseHold(id, now)
      expect(await retention.listUnremoved(archive)).toHaveLength(1)
    })

    it('deletes or holds, when both are asked for at the same time', async () => {
      const { retention, archive, hold, keyAt, stateOf } = await setup(Array(5).fill('archived'))
      await Promise.all(
        [0, 1, 2, 3, 4].flatMap((nth) => [
          retention.markDeleted(keyAt(nth), deletion),
          hold(nth, nth + 1),
        ]),
      )
      expect(await retention.listHolds(archive)).toHaveLength(5)
      for (const nth of [0, 1, 2, 3, 4]) {
        expect(await retention.markDeleted(keyAt(nth), deletion)).toBe(false)
        expect(['archived', 'deleted']).toContain(await stateOf(nth))
      }
    })

    it('lists holds of an archive, and of all, in the order in which they were placed', async () => {
      const { retention, archive, hold } = await setup()
      const other = await setup()
      const placed = [await hold(1, 2), await hold(0)]
      const elsewhere = await other.hold(0, 1)
      expect(await retention.listHolds(archive)).toEqual(placed)
      expect(await retention.listHolds()).toEqual(expect.arrayContaining([...placed, elsewhere]))
      await retention.releaseHold(placed[0]!.id, now)
      expect(await retention.listHolds(archive)).toEqual([placed[1]])
    })

    it('refuses a hold of an archive that was not entered', async () => {
      const { retention } = await setup()
      const hold = { from: start, to: undefined, reason: 'x', placedAt: now }
      await expect(retention.placeHold({ ...hold, archive: randomUUID() })).rejects.toThrow()
    })

    it('remembers which policy was confirmed, also when the archive is opened again', async () => {
      const { ledger, retention, archive, schedule } = await setup()
      await retention.confirmKeep(archive, 'daily 35')
      expect(await ledger.open(schedule, later)).toMatchObject({ confirmedKeep: 'daily 35' })
      await retention.confirmKeep(archive, 'daily 7')
      const found = (await ledger.listArchives()).find((each) => each.name === archive)
      expect(found).toMatchObject({ confirmedKeep: 'daily 7' })
    })
  })
}
