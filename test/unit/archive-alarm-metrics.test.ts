import { expect, it } from 'vitest'
import type { ArchiveAlarm } from '../../src/archive/model.ts'
import { measureAlarms } from '../../src/metrics/archive-alarms.ts'
import { createRegistry } from '../../src/metrics/registry.ts'
import { metricValues } from '../support/metric-values.ts'

const archive = {
  ...({ name: 'services', calendar: { unit: 'day', timeZone: 'UTC' }, start: undefined } as const),
  ...{ settleMs: 0, enteredAt: new Date(0) },
}
const clock = { now: () => new Date('2026-03-29T01:00:00Z') }

it('tells of each archive what is wrong, zero included, and nothing without an answer', async () => {
  let alarms: Promise<readonly ArchiveAlarm[]> = Promise.resolve([
    {
      archive,
      failed: { count: 2, windows: [] },
      overdue: { count: 3, windows: [] },
      overdueSince: new Date('2026-03-28T00:00:00Z'),
    },
    {
      archive: { ...archive, name: 'started' },
      ...{ failed: { count: 0, windows: [] }, overdue: { count: 0, windows: [] } },
    },
  ])
  const registry = createRegistry()
  measureAlarms(() => alarms, registry, clock)
  const look = async () => metricValues(await registry.metrics())
  expect(await look()).toEqual({
    'longhaul_archive_windows_failed{archive="services"}': 2,
    'longhaul_archive_windows_overdue{archive="services"}': 3,
    'longhaul_archive_oldest_overdue_seconds{archive="services"}': 90_000,
    'longhaul_archive_windows_failed{archive="started"}': 0,
    'longhaul_archive_windows_overdue{archive="started"}': 0,
    'longhaul_archive_oldest_overdue_seconds{archive="started"}': 0,
  })
  alarms = Promise.reject(new Error('away'))
  expect(await look()).toEqual({})
})

it('keeps no scrape waiting for an answer that does not come', async () => {
  const registry = createRegistry()
  const never = new Promise<readonly ArchiveAlarm[]>(() => undefined)
  measureAlarms(() => never, registry, clock, 20)
  expect(metricValues(await registry.metrics())).toEqual({})
})
