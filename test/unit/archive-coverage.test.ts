import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { startOfDate, windowsFrom } from '../../src/archive/calendar.ts'
import { readCoverage } from '../../src/archive/coverage.ts'
import { builtInDefinition } from '../../src/archive/definitions.ts'
import type { WindowUnit } from '../../src/archive/model.ts'
import { listHolds, placeHold } from '../../src/archive/holds.ts'
import { drawCoverage } from '../../src/cli/coverage-calendar.ts'
import { createMemoryArchiveLedger } from '../support/memory-archive-ledger.ts'

const timeZone = 'Europe/Berlin'
const enteredAt = new Date('2026-04-01T12:00:00Z')
const error = { code: 'SOURCE_TIMEOUT', message: 'The source is slow.', retryable: true }

/** An archive of which some windows are led into states, by their names. */
async function setup(
  states: Readonly<Record<string, 'planned' | 'running' | 'archived' | 'failed'>>,
  options: { unit?: WindowUnit; start?: string | undefined } = {},
) {
  const { unit = 'day', start } = { start: '2026-03-27', ...options }
  const ledger = createMemoryArchiveLedger()
  const { request, ...definition } = builtInDefinition({ timeZone, start, settleMinutes: 120 })
  const archive = { ...definition, calendar: { unit, timeZone } }
  await ledger.open(archive, enteredAt)
  for (const window of windowsFrom(archive.calendar, startOfDate('2026-03-20', timeZone)!)) {
    if (window.from > enteredAt) break
    const state = states[window.name]
    if (state === undefined) continue
    const key = { archive: archive.name, from: window.from, generation: 1 }
    await ledger.plan(key, window, request)
    const exportId = randomUUID()
    if (state !== 'planned') await ledger.begin(key, exportId)
    if (state === 'archived') await ledger.finish(key, exportId, enteredAt)
    if (state === 'failed') await ledger.fail(key, exportId, { error, retryAt: enteredAt })
  }
  const read = async (query = {}, now = enteredAt) => {
    const [covered] = await readCoverage(ledger, query, now)
    return covered!
  }
  const statesAt = async (query = {}, now = enteredAt) =>
    (await read(query, now)).windows.map(({ name, state }) => `${name} ${state}`)
  return { ledger, request, archive, read, statesAt }
}

describe('the coverage of an archive', () => {
  it('has every window that is over, from the first on', async () => {
    const { statesAt, read } = await setup({
      ...{ '2026-03-27': 'archived', '2026-03-28': 'failed', '2026-03-30': 'running' },
    })
    expect(await statesAt()).toEqual([
      '2026-03-27 archived',
      '2026-03-28 failed',
      '2026-03-29 missing',
      '2026-03-30 running',
      '2026-03-31 missing',
    ])
    expect((await read()).first).toEqual(new Date('2026-03-26T23:00:00Z'))
  })

  it('tells what is over and may not be read yet from what is missing', async () => {
    const { statesAt } = await setup({})
    const midnight = new Date('2026-03-31T22:00:00Z').getTime()
    const last = async (minutes: number) =>
      (await statesAt({}, new Date(midnight + minutes * 60_000))).at(-1)
    expect(await last(-1)).toBe('2026-03-30 missing')
    expect(await last(0)).toBe('2026-03-31 settling')
    expect(await last(119)).toBe('2026-03-31 settling')
    expect(await last(120)).toBe('2026-03-31 missing')
  })

  it('begins with the window before the archive was entered, where no start is told', async () => {
    const { statesAt } = await setup({}, { start: undefined })
    expect(await statesAt()).toEqual(['2026-03-31 missing'])
  })

  it('shows what was filled in before the first window, and no gaps there', async () => {
    const { statesAt } = await setup({ '2026-03-24': 'archived' })
    for (const query of [{}, { from: '2026-03-20' }]) {
      const states = await statesAt(query)
      expect(states.slice(0, 2)).toEqual(['2026-03-24 archived', '2026-03-27 missing'])
    }
  })

  it('is cut by local dates', async () => {
    const { statesAt } = await setup({ '2026-03-29': 'archived' })
    expect(await statesAt({ from: '2026-03-29', to: '2026-03-29' })).toEqual([
      '2026-03-29 archived',
    ])
  })

  it('takes the latest archived generation, else the latest', async () => {
    const { ledger, request, archive, read } = await setup({
      ...{ '2026-03-27': 'archived', '2026-03-28': 'failed' },
    })
    for (const { entry } of (await read()).windows) {
      if (entry === undefined) continue
      await ledger.plan({ archive: archive.name, from: entry.from, generation: 2 }, entry, request)
    }
    const [first, second] = (await read()).windows
    expect(first?.entry).toMatchObject({ generation: 1, state: 'archived' })
    expect(second?.entry).toMatchObject({ generation: 2, state: 'planned' })
  })

  it.each([
    [{ archive: 'other' }, 'ARCHIVE_UNKNOWN', 'There is no archive "other"'],
    [{ from: '2026-3-1' }, 'SPEC_INVALID', 'from: expected a date, such as "2025-01-01"'],
    [{ to: '2026-02-30' }, 'SPEC_INVALID', 'to: expected a date'],
    [{ from: '2026-03-02', to: '2026-03-01' }, 'SPEC_INVALID', 'expected a date up to 2026-03-01'],
  ])('is refused for %o', async (query, code, message) => {
    const { read } = await setup({})
    await expect(read(query)).rejects.toMatchObject({ code })
    await expect(read(query)).rejects.toThrow(message)
  })
})

describe('a drawn calendar', () => {
  it('has a row a month, and what wants a look', async () => {
    const { read } = await setup(
      { '2026-03-27': 'archived', '2026-03-28': 'failed', '2026-03-31': 'planned' },
      { start: '2026-02-26' },
    )
    const drawn = drawCoverage(await read({}, new Date('2026-04-01T23:00:00Z')))
    expect(drawn).toEqual([
      'services: by the day, Europe/Berlin: 1 archived, 1 planned, 1 failed, 31 missing, 1 settling',
      '  2026-02                            ...',
      '  2026-03   ..........................#F..p',
      '  2026-04   ~',
      '            # archived  p planned  F failed  . missing  ~ settling',
      '  missing  2026-02-26 to 2026-03-26',
      '  missing  2026-03-29 to 2026-03-30',
      '  failed   2026-03-28, try 1, again at 2026-04-01T12:00:00.000Z: The source is slow.',
    ])
  })

  it('has a row a day of hours, each in its place, however many of a day there are', async () => {
    const { read } = await setup({}, { unit: 'hour', start: undefined })
    const later = await read({}, new Date('2026-04-01T16:30:00Z'))
    expect(drawCoverage(later).slice(1, 3)).toEqual([
      `  2026-04-01${' '.repeat(13)}...~~`,
      '            . missing  ~ settling',
    ])
    const spring = await setup({}, { unit: 'hour', start: '2026-03-28' })
    const drawn = drawCoverage(await spring.read({ to: '2026-03-30' }))
    expect(drawn.slice(1, 4)).toEqual([
      `  2026-03-28${'.'.repeat(24)}`,
      `  2026-03-29${'.'.repeat(23)}`,
      `  2026-03-30${'.'.repeat(24)}`,
    ])
  })

  it('tells what was deleted by policy, and what is held', async () => {
    const made = await setup(
      { '2026-03-27': 'archived', '2026-03-28': 'archived', '2026-03-29': 'archived' },
      { start: '2026-03-27' },
    )
    const { ledger, archive, read } = made
    const [first, second] = (await read()).windows
    const generation = 1
    const deletion = { at: enteredAt, reason: 'too old' }
    await ledger.markDeleted({ archive: archive.name, from: first!.from, generation }, deletion)
    await placeHold(
      { ledger, retention: ledger },
      { archive: archive.name, from: second!.date, to: '2026-03-29', reason: 'a lawsuit' },
      enteredAt,
    )
    await placeHold(
      { ledger, retention: ledger },
      { archive: archive.name, from: '2026-03-31', reason: 'an audit' },
      enteredAt,
    )
    const holds = await listHolds({ ledger, retention: ledger }, archive.name)
    expect(drawCoverage({ ...(await read()), holds })).toEqual([
      'services: by the day, Europe/Berlin: 2 archived, 2 missing, 1 deleted',
      '  2026-03                             -##..',
      '            # archived  . missing  - deleted',
      '  missing  2026-03-30 to 2026-03-31',
      '  held     hold 1: services 2026-03-28 to 2026-03-29: a lawsuit',
      '  held     hold 2: services from 2026-03-31 on: an audit',
    ])
  })

  it('has a row a day for hours, of which a day may have 23', async () => {
    const { read } = await setup({}, { unit: 'hour', start: '2026-03-28' })
    const drawn = drawCoverage(await read({ to: '2026-03-29' }))
    expect(drawn.slice(1, 3)).toEqual([
      `  2026-03-28${'.'.repeat(24)}`,
      `  2026-03-29${'.'.repeat(23)}`,
    ])
  })

  it('has a row a year for months', async () => {
    const { read } = await setup({ '2026-03': 'archived' }, { unit: 'month', start: '2025-11-05' })
    expect(drawCoverage(await read()).slice(1, 3)).toEqual([
      '  2025                ..',
      '  2026      ..#',
    ])
  })

  it('says so when nothing is over', async () => {
    const { read } = await setup({}, { start: '2026-05-01' })
    expect(drawCoverage(await read())).toEqual([
      'services: by the day, Europe/Berlin: nothing is over yet',
    ])
  })
})
