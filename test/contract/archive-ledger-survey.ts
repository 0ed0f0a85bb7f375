import { expect, it } from 'vitest'
import type { CalendarWindow } from '../../src/archive/model.ts'
import type { ArchiveLedger, WindowKey } from '../../src/archive/ports.ts'

/** An archive of its own, and five days that it may have. */
export interface SurveyedArchive {
  readonly ledger: ArchiveLedger
  readonly archive: string
  readonly days: readonly CalendarWindow[]
  /** Plans a generation of a day. */
  readonly plan: (day: number, generation?: number) => Promise<WindowKey>
  readonly createExport: () => Promise<string>
}

const now = new Date('2026-04-01T12:00:00Z')
const error = { code: 'SOURCE_TIMEOUT', message: 'too slow', retryable: true }

/** What every implementation of ArchiveLedger tells of windows that are not archived. */
export function describeArchiveSurvey(make: () => Promise<SurveyedArchive>): void {
  async function setup() {
    const made = await make()
    const { ledger, plan, createExport } = made
    const run = async (day: number, generation?: number) => {
      const key = await plan(day, generation)
      const id = await createExport()
      await ledger.begin(key, id)
      return { key, id }
    }
    return {
      ...made,
      run,
      archived: async (day: number, generation?: number) => {
        const { key, id } = await run(day, generation)
        await ledger.finish(key, id, now)
      },
      failed: async (day: number, generation?: number) => {
        const { key, id } = await run(day, generation)
        await ledger.fail(key, id, { error, retryAt: now })
        return key
      },
    }
  }
  const nameAll = (windows: readonly { readonly name: string; readonly generation: number }[]) =>
    windows.map(({ name, generation }) => `${name} ${generation}`)

  it('counts all windows that failed, and lists the oldest', async () => {
    const { ledger, archive, archived, failed, run } = await setup()
    for (const day of [3, 0, 1]) await failed(day)
    await run(2)
    await archived(4)
    expect(await ledger.surveyFailed(`${archive}-other`, 2)).toEqual({ count: 0, windows: [] })
    const { count, windows } = await ledger.surveyFailed(archive, 2)
    expect([count, ...nameAll(windows)]).toEqual([3, '2026-03-28 1', '2026-03-29 1'])
    expect(windows[0]).toMatchObject({ state: 'failed', error, retryAt: now, tries: 1 })
  })

  it('knows that a window failed also while it is tried again, and no longer once it is archived', async () => {
    const { ledger, archive, failed, createExport } = await setup()
    const key = await failed(0)
    const stateNow = async () => (await ledger.surveyFailed(archive, 9)).windows[0]?.state
    await ledger.retryFailed(archive, { dueBy: now })
    expect(await stateNow()).toBe('planned')
    const id = await createExport()
    await ledger.begin(key, id)
    expect(await stateNow()).toBe('running')
    await ledger.finish(key, id, now)
    expect(await stateNow()).toBeUndefined()
  })

  it('leaves out what is not tried again by itself', async () => {
    const { ledger, archive, archived, run } = await setup()
    await archived(0, 1)
    const { key, id } = await run(0, 2)
    await ledger.fail(key, id, { error })
    expect(await ledger.surveyFailed(archive, 9)).toEqual({ count: 0, windows: [] })
  })

  it('forgets that a generation failed once a later one is archived, not by an earlier one', async () => {
    const { ledger, archive, archived, failed } = await setup()
    await failed(0, 1)
    await archived(0, 2)
    await archived(1, 1)
    await failed(1, 2)
    const { count, windows } = await ledger.surveyFailed(archive, 9)
    expect([count, ...nameAll(windows)]).toEqual([1, '2026-03-29 2'])
  })

  it('counts what is late in a range, of whatever state but archived', async () => {
    const { ledger, archive, days, archived, failed, plan, run } = await setup()
    await failed(0)
    await plan(1)
    await run(2)
    await archived(3)
    await plan(3, 2)
    await plan(4)
    const survey = async (from: Date, to: Date, limit = 9) => {
      const { count, windows } = await ledger.surveyLate(archive, { from, to }, limit)
      return [count, ...windows.map(({ name, state }) => `${name} ${state}`)]
    }
    expect(await survey(days[0]!.from, days[4]!.to)).toEqual([
      4,
      '2026-03-28 failed',
      '2026-03-29 planned',
      '2026-03-30 running',
      '2026-04-01 planned',
    ])
    expect(await survey(days[0]!.from, days[4]!.to, 1)).toEqual([4, '2026-03-28 failed'])
    const almost = new Date(days[2]!.to.getTime() - 1)
    expect(await survey(days[1]!.from, almost)).toEqual([1, '2026-03-29 planned'])
  })

  it('lists where windows are missing: before the first, between, and after the last', async () => {
    const { ledger, archive, days, archived, plan } = await setup()
    const range = { from: days[0]!.from, to: days[4]!.to }
    const gaps = (limit = 9, within = range) => ledger.listGaps(archive, within, limit)
    expect(await gaps()).toEqual([range])
    await plan(1)
    await plan(1, 2)
    await archived(3)
    const first = { from: days[0]!.from, to: days[0]!.to }
    const second = { from: days[2]!.from, to: days[2]!.to }
    expect(await gaps()).toEqual([first, second, { from: days[4]!.from, to: days[4]!.to }])
    expect(await gaps(1)).toEqual([first])
    expect(await gaps(9, { from: days[1]!.from, to: days[1]!.to })).toEqual([])
    // a window that goes on beyond the end leaves nothing open
    expect(await gaps(9, { from: days[3]!.from, to: new Date(days[3]!.to.getTime() - 1) })).toEqual(
      [],
    )
    for (const day of [0, 2, 4]) await plan(day)
    expect(await gaps()).toEqual([])
  })
}
