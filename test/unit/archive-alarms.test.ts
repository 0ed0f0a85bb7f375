import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { describeAlarms } from '../../src/archive/alarm-message.ts'
import { createAlarmLook, isAlarmed, listedWindows } from '../../src/archive/alarms.ts'
import { windowsFrom } from '../../src/archive/calendar.ts'
import type { ArchiveSchedule, CalendarWindow, WindowState } from '../../src/archive/model.ts'
import { latestLook } from '../../src/config/archive.ts'
import { createDice } from '../support/dice.ts'
import { createMemoryArchiveLedger } from '../support/memory-archive-ledger.ts'
import { newWindow } from '../support/new-window.ts'

const error = { code: 'SOURCE_TIMEOUT', message: 'The source is slow.', retryable: true }
const { request } = newWindow()
const dayMs = 86_400_000
const settleMs = 7_200_000

type Given = WindowState | 'retried'

async function setup(schedule: Partial<ArchiveSchedule> & { readonly enteredAt?: Date } = {}) {
  const { enteredAt = new Date('2026-03-01T00:00:00Z'), ...rest } = schedule
  const ledger = createMemoryArchiveLedger()
  const archive: ArchiveSchedule = {
    ...{ name: 'services', calendar: { unit: 'day', timeZone: 'Europe/Berlin' }, settleMs },
    ...{ start: new Date('2026-03-26T23:00:00Z'), ...rest },
  }
  await ledger.open(archive, enteredAt)
  const give = async (window: CalendarWindow, state: Given, generation = 1) => {
    const key = { archive: archive.name, from: window.from, generation }
    const exportId = randomUUID()
    await ledger.plan(key, window, request)
    if (state === 'planned') return
    await ledger.begin(key, exportId)
    if (state === 'archived') await ledger.finish(key, exportId, enteredAt)
    if (state !== 'failed' && state !== 'retried') return
    await ledger.fail(key, exportId, { error, retryAt: enteredAt })
    if (state === 'retried') await ledger.retryFailed(archive.name, { dueBy: enteredAt })
  }
  const look = createAlarmLook(ledger, [archive.name])
  const say = async (now: string) => describeAlarms((await look(new Date(now))).filter(isAlarmed))
  return { ledger, archive, give, look, say }
}

/** So many windows of a calendar from that in which it falls. */
function windowsOf({ calendar, start }: ArchiveSchedule, count: number): readonly CalendarWindow[] {
  const windows: CalendarWindow[] = []
  for (const window of windowsFrom(calendar, start!)) {
    if (windows.push(window) === count) break
  }
  return windows
}

describe('the alarms of an archive', () => {
  it('are none while its windows settle, and for a day after that', async () => {
    const { say } = await setup()
    // the 27th of March ends at 23:00Z and settles until 01:00Z; the 29th has 23 hours
    expect(await say('2026-03-29T00:59:59.999Z')).toBe('')
    expect(await say('2026-03-29T01:00:00Z')).toBe('services: 1 overdue (2026-03-27)')
    expect(await say('2026-03-30T01:00:00Z')).toContain('2 overdue (2026-03-27, 2026-03-28)')
    expect(await say('2026-03-30T23:59:59.999Z')).toContain('2 overdue')
    expect(await say('2026-03-31T00:00:00Z')).toContain('3 overdue')
  })

  it('wait for a day after workers have looked, however seldom they do', async () => {
    const { ledger } = await setup()
    // half past one, on Mondays: the 27th of March, a Friday, has settled on the 28th, and is planned on the 30th
    const monday = (by: Date) => latestLook({ pattern: '30 1 * * 1', timeZone: 'UTC' }, by)
    const look = createAlarmLook(ledger, ['services'], monday)
    const say = async (now: string) => describeAlarms((await look(new Date(now))).filter(isAlarmed))
    expect(await say('2026-03-31T01:29:59.999Z')).toBe('')
    const three = 'services: 3 overdue (2026-03-27, 2026-03-28, 2026-03-29)'
    expect(await say('2026-03-31T01:30:00Z')).toBe(three)
    expect(await say('2026-04-07T01:29:59.999Z')).toBe(three)
    expect(await say('2026-04-07T01:30:00Z')).toContain('services: 10 overdue')
  })

  it('name failed windows at once, also while they are tried again, until they are archived', async () => {
    const { archive, give, say } = await setup()
    const [first, second, third] = windowsOf(archive, 3)
    await give(first!, 'failed')
    await give(second!, 'retried')
    await give(third!, 'running')
    expect(await say('2026-03-28T12:00:00Z')).toBe('services: 2 failed (2026-03-27, 2026-03-28)')
    await give(first!, 'archived', 2)
    expect(await say('2026-03-28T12:00:00Z')).toBe('services: 1 failed (2026-03-28)')
  })

  it('name a window that is archived only if what followed on it fails', async () => {
    const { archive, give, say } = await setup()
    const [first] = windowsOf(archive, 1)
    await give(first!, 'archived')
    await give(first!, 'running', 2)
    expect(await say('2026-03-29T02:00:00Z')).toBe('')
    await give(first!, 'failed', 3)
    expect(await say('2026-03-29T02:00:00Z')).toBe('services: 1 failed (2026-03-27)')
  })

  it('say nothing of what a backfill does before the first window, unless it fails', async () => {
    const { give, say } = await setup()
    const early = { calendar: { unit: 'day', timeZone: 'Europe/Berlin' } } as const
    const [first, second] = windowsOf(
      { ...early, name: 'services', settleMs, start: new Date('2020-01-01T00:00:00Z') },
      2,
    )
    await give(first!, 'planned')
    expect(await say('2026-03-28T00:00:00Z')).toBe('')
    await give(second!, 'failed')
    expect(await say('2026-03-28T00:00:00Z')).toBe('services: 1 failed (2020-01-02)')
  })

  it('are those of the archives that are asked for', async () => {
    const { ledger, archive } = await setup()
    await ledger.open({ ...archive, name: 'gone' }, new Date('2020-01-01T00:00:00Z'))
    const now = new Date('2026-04-01T00:00:00Z')
    const names = async (asked: string[]) =>
      (await createAlarmLook(ledger, asked)(now)).map((alarm) => alarm.archive.name)
    expect(await names(['services', 'never-entered'])).toEqual(['services'])
  })

  it('begin with the window before that in which it was entered', async () => {
    const { say } = await setup({ start: undefined, enteredAt: new Date('2026-03-28T12:00:00Z') })
    expect(await say('2026-03-29T01:00:00Z')).toBe('services: 1 overdue (2026-03-27)')
  })

  it('count all and list no more than so many, however long nothing was archived', async () => {
    const calendar = { unit: 'hour', timeZone: 'UTC' } as const
    const { look } = await setup({ calendar, start: new Date('2016-01-01T00:00:00Z') })
    const [alarm] = await look(new Date('2026-01-01T00:00:00Z'))
    // ten years with three days of February 29th; the last day, and the settling time, are not overdue yet
    expect(alarm!.overdue.count).toBe((3650 + 3 - 1) * 24 - settleMs / 3_600_000)
    expect(alarm!.overdue.windows.map(({ name }) => name).slice(0, 2)).toEqual([
      '20160101T000000Z',
      '20160101T010000Z',
    ])
    expect(alarm!.overdue.windows).toHaveLength(listedWindows)
    expect(alarm!.overdueSince).toEqual(new Date('2016-01-01T03:00:00Z'))
    expect(describeAlarms([alarm!])).toMatch(/overdue \(\w+, \w+, \w+, …\)$/)
  })

  it.each([
    ['day', 'Europe/Berlin', '2026-03-20T23:00:00Z'],
    ['day', 'Africa/Cairo', '2026-04-18T22:00:00Z'],
    ['hour', 'Australia/Lord_Howe', '2026-04-03T13:00:00Z'],
    ['hour', 'Europe/Berlin', '2026-10-24T00:00:00Z'],
    ['month', 'America/New_York', '2025-01-01T05:00:00Z'],
  ] as const)('agree with a look at each window by itself: %s, %s', async (unit, zone, start) => {
    for (let seed = 0; seed < 12; seed++) {
      const calendar: ArchiveSchedule['calendar'] = { unit, timeZone: zone }
      const dice = createDice(seed)
      const { archive, give, look } = await setup({ calendar, start: new Date(start) })
      const windows = windowsOf(archive, 40)
      const given = new Map<CalendarWindow, Given>()
      const states = ['planned', 'running', 'archived', 'archived', 'failed', 'retried'] as const
      // what is missing with one look may be there with the next
      for (const nth of [dice.between(0, 12), dice.between(13, 25), dice.between(26, 39)]) {
        const last = windows[nth]!
        for (const window of windows) {
          if (given.has(window) || dice.percent(40)) continue
          const state = dice.pick(states)
          given.set(window, state)
          await give(window, state)
        }
        const now = new Date(last.to.getTime() + settleMs + dayMs - dice.between(0, 1))
        const [alarm] = await look(now)
        const failed = windows.filter((each) =>
          ['failed', 'retried'].includes(given.get(each) ?? 'missing'),
        )
        const overdue = windows.filter(
          (each) =>
            given.get(each) !== 'archived' && each.to.getTime() + settleMs + dayMs <= now.getTime(),
        )
        const names = (list: readonly CalendarWindow[]) =>
          list.slice(0, listedWindows).map(({ name }) => name)
        expect({ seed, ...alarm!.failed, windows: names(alarm!.failed.windows) }).toEqual({
          ...{ seed, count: failed.length, windows: names(failed) },
        })
        expect({ seed, ...alarm!.overdue, windows: names(alarm!.overdue.windows) }).toEqual({
          ...{ seed, count: overdue.length, windows: names(overdue) },
        })
        expect(alarm!.overdueSince?.getTime()).toBe(
          overdue[0] && overdue[0].to.getTime() + settleMs,
        )
      }
    }
  })
})
