import { Gauge } from 'prom-client'
import type { ArchiveAlarm } from '../archive/model.ts'
import { abortAfter, untilAborted } from '../runtime/abort.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Registry } from './registry.ts'

/**
 * Tells what is wrong with archives, by the control database. Every worker tells the same: take the maximum, not the sum. Without an
 * answer, or where it takes too long, there are no values.
 * @param look asked with each scrape, several times
 * @param limitMs so long a scrape waits for it
 */
export function measureAlarms(
  look: () => Promise<readonly ArchiveAlarm[]>,
  registry: Registry,
  clock: Clock,
  limitMs = 2000,
): void {
  const gauge = (name: string, help: string, valueOf: (alarm: ArchiveAlarm) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ['archive'],
      registers: [registry],
      async collect() {
        this.reset()
        const alarms = await untilAborted(look(), abortAfter(limitMs)).catch(() => [])
        for (const alarm of alarms) this.set({ archive: alarm.archive.name }, valueOf(alarm))
      },
    })
  gauge(
    'longhaul_archive_windows_failed',
    'Windows whose export failed all its attempts, and that are not archived since.',
    ({ failed }) => failed.count,
  )
  gauge(
    'longhaul_archive_windows_overdue',
    'Windows that had settled when workers looked what is due, a day ago or more, and are not archived.',
    ({ overdue }) => overdue.count,
  )
  gauge(
    'longhaul_archive_oldest_overdue_seconds',
    'For how long the oldest overdue window has settled; 0 without one.',
    ({ overdueSince }) =>
      overdueSince === undefined ? 0 : (clock.now().getTime() - overdueSince.getTime()) / 1000,
  )
}
