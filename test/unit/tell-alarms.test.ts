import { describe, expect, it } from 'vitest'
import type { ArchiveAlarm } from '../../src/archive/model.ts'
import type { AlarmMessage } from '../../src/archive/ports.ts'
import { AlertError } from '../../src/errors.ts'
import { tellAlarms, type TellAlarmsDeps } from '../../src/archive/tell-alarms.ts'
import { createMemoryAlarmMemory } from '../support/memory-alarm-memory.ts'
import { newWindow } from '../support/new-window.ts'

const minuteMs = 60_000
const none = { count: 0, windows: [] }
const error = { code: 'SOURCE_QUERY_FAILED', message: 'hush: customer 17', retryable: false }
const entry = newWindow({ state: 'failed', error, exportId: 'an-export', retryAt: new Date(0) })
const archive = {
  ...({ name: 'services', calendar: { unit: 'day', timeZone: 'UTC' }, start: undefined } as const),
  ...{ settleMs: 0, enteredAt: new Date(0) },
}
const fine: ArchiveAlarm = { archive, failed: none, overdue: none }
const bad: ArchiveAlarm = { ...fine, failed: { count: 1, windows: [{ ...entry, entry }] } }

function setup({ hasCall = true } = {}) {
  let now = new Date('2026-03-29T01:20:00Z')
  const memory = createMemoryAlarmMemory()
  const log: string[] = []
  const messages: AlarmMessage[] = []
  const world = {
    alarms: [fine, bad] as readonly ArchiveAlarm[],
    refuse: false,
    error: new Error('away'),
  }
  const deps: TellAlarmsDeps = {
    ...{ memory, clock: { now: () => now }, look: () => Promise.resolve(world.alarms) },
    log: {
      raised: (alarms, since) => log.push(`${alarms.length} since ${since.toISOString()}`),
      over: (since) => log.push(`over since ${since.toISOString()}`),
    },
    call: hasCall
      ? (message) => {
          messages.push(message)
          return world.refuse ? Promise.reject(world.error) : Promise.resolve()
        }
      : undefined,
  }
  const tell = (signal = new AbortController().signal) => tellAlarms(deps, { signal })
  const pass = (minutes: number) => void (now = new Date(now.getTime() + minutes * minuteMs))
  return { world, memory, log, messages, tell, pass }
}

describe('an alarm', () => {
  it('is silent while nothing is wrong', async () => {
    const { world, tell, log, messages, memory } = setup()
    world.alarms = [fine]
    expect(await tell()).toEqual({ failed: 0, overdue: 0, told: false })
    expect([log, messages, await memory.get()]).toEqual([[], [], undefined])
  })

  it('is told with each run, by a line and a call of its own, and once when it is over', async () => {
    const { world, tell, log, messages, pass } = setup()
    expect(await tell()).toEqual({ failed: 1, overdue: 0, told: true })
    pass(60)
    expect(await tell()).toMatchObject({ told: true })
    pass(60)
    world.alarms = [fine]
    expect(await tell()).toEqual({ failed: 0, overdue: 0, told: true })
    pass(60)
    expect(await tell()).toMatchObject({ told: false })
    const since = '2026-03-29T01:20:00.000Z'
    expect(log).toEqual([`1 since ${since}`, `1 since ${since}`, `over since ${since}`])
    expect(messages.map(({ type, timestamp }) => `${type} ${timestamp}`)).toEqual([
      'archive.alarm 2026-03-29T01:20:00.000Z',
      'archive.alarm 2026-03-29T02:20:00.000Z',
      'archive.recovered 2026-03-29T03:20:00.000Z',
    ])
    expect(new Set(messages.map(({ id }) => id)).size).toBe(3)
    expect(messages[2]!.data).toEqual({ since })
  })

  it('says what is wrong, and nothing that may be of a record', async () => {
    const { tell, messages } = setup()
    await tell()
    expect(messages[0]!.data).toEqual({
      since: '2026-03-29T01:20:00.000Z',
      message: 'services: 1 failed (2014-07-22)',
      archives: [
        {
          ...{ name: 'services', window: 'day', time_zone: 'UTC' },
          counts: { failed: 1, overdue: 0 },
          failed: [
            {
              ...{ window: '2014-07-22', state: 'failed', generation: 1, tries: 1 },
              time_from: '2014-07-22T00:00:00.000Z',
              time_to: '2014-07-23T00:00:00.000Z',
              ...{ code: 'SOURCE_QUERY_FAILED', export_id: 'an-export' },
              retry_at: '1970-01-01T00:00:00.000Z',
            },
          ],
          overdue: [],
        },
      ],
    })
    expect(JSON.stringify(messages)).not.toContain('hush')
  })

  it('is told once by a run that comes twice', async () => {
    const { tell, log, messages, pass } = setup()
    await tell()
    pass(1)
    expect(await tell()).toMatchObject({ told: false })
    expect([log.length, messages.length]).toEqual([1, 1])
  })

  it('is told once by two runs at the same time', async () => {
    const { world, tell, log, messages, pass } = setup()
    await Promise.all([tell(), tell()])
    expect([log.length, messages.length]).toEqual([1, 1])
    pass(60)
    await Promise.all([tell(), tell()])
    expect([log.length, messages.length]).toEqual([2, 2])
    world.alarms = []
    await Promise.all([tell(), tell()])
    expect(log).toHaveLength(3)
    expect(new Set(messages.map(({ id }) => id)).size).toBe(3)
  })

  it('is made up for by the same message where a run ended before its call was taken', async () => {
    const { world, tell, log, messages, pass } = setup()
    world.refuse = true
    await expect(tell()).rejects.toThrow('away')
    pass(5)
    world.refuse = false
    expect(await tell()).toMatchObject({ told: true })
    expect(log).toHaveLength(1)
    expect(messages[1]!.id).toBe(messages[0]!.id)
    expect(messages[1]!.timestamp).toBe(messages[0]!.timestamp)
  })

  it('is over for whoever was told of it, and only then forgotten', async () => {
    const { world, tell, messages, log, memory, pass } = setup()
    await tell()
    ;[world.alarms, world.refuse] = [[fine], true]
    for (let n = 0; n < 2; n++) {
      pass(60)
      await expect(tell()).rejects.toThrow('away')
    }
    expect(messages[1]!.id).toBe(messages[2]!.id)
    world.refuse = false
    await tell()
    expect(log.at(-1)).toMatch('over')
    expect(await memory.get()).toBeUndefined()
  })

  it('is over, too, for a receiver that refuses for good to hear of it', async () => {
    const { world, tell, messages, log, memory, pass } = setup()
    await tell()
    const gone = new AlertError('It answered 410.', { retryable: false })
    Object.assign(world, { alarms: [fine], refuse: true, error: gone })
    pass(60)
    await expect(tell()).rejects.toBe(gone)
    expect([log.at(-1), await memory.get()]).toEqual([expect.stringMatching('over'), undefined])
    pass(60)
    expect(await tell()).toMatchObject({ told: false })
    expect(messages).toHaveLength(2)
  })

  it('is over for whoever may have heard of it: whether the call was taken is not known', async () => {
    const { world, tell, messages, memory, pass } = setup()
    const put = memory.put.bind(memory)
    let puts = 0
    memory.put = (...given) =>
      puts++ === 0 ? put(...given) : Promise.reject(new Error('the database is away'))
    await expect(tell()).rejects.toThrow('the database is away')
    world.alarms = [fine]
    pass(60)
    expect(await tell()).toMatchObject({ told: true })
    expect(messages.map(({ type }) => type)).toEqual(['archive.alarm', 'archive.recovered'])
  })

  it('that nobody was called for is over without a call', async () => {
    const silent = setup({ hasCall: false })
    await silent.tell()
    const { world, tell, messages, log, memory } = setup()
    await memory.put((await silent.memory.get())!, undefined)
    world.alarms = []
    expect(await tell()).toMatchObject({ told: false })
    expect([messages.length, log.length]).toEqual([0, 1])
  })

  it('is another one where no run has seen it for hours', async () => {
    const { tell, log, pass, messages } = setup()
    await tell()
    pass(179)
    await tell()
    pass(181)
    expect(await tell()).toMatchObject({ told: true })
    const first = '1 since 2026-03-29T01:20:00.000Z'
    expect(log).toEqual([first, first, '1 since 2026-03-29T07:20:00.000Z'])
    expect(messages.at(-1)!.data['since']).toBe('2026-03-29T07:20:00.000Z')
  })

  it('is in the log where nobody is to be called', async () => {
    const { tell, log, world } = setup({ hasCall: false })
    expect(await tell()).toEqual({ failed: 1, overdue: 0, told: false })
    world.alarms = []
    await tell()
    expect(log).toHaveLength(2)
  })

  it('is left to another worker by one that stops', async () => {
    const { tell, log } = setup()
    await expect(tell(AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping')
    expect(log).toEqual([])
  })
})
