/** Alarms in words and in JSON. Neither has more of an error than its code: what it says may name a record. */
import type { AlarmedWindow, AlarmedWindows, ArchiveAlarm } from './model.ts'

/** One line: `services: 1 failed (2026-03-07), 2 overdue (2026-03-29, 2026-03-30)`. */
export const describeAlarms = (alarms: readonly ArchiveAlarm[]): string =>
  alarms
    .map(({ archive, failed, overdue }) => {
      const parts = [describe(failed, 'failed'), describe(overdue, 'overdue')]
      return `${archive.name}: ${parts.filter((part) => part !== '').join(', ')}`
    })
    .join('; ')

const shownWindows = 3

function describe({ count, windows }: AlarmedWindows, word: string): string {
  if (count === 0) return ''
  const shown = windows.slice(0, shownWindows).map(({ name }) => name)
  const more = count > shown.length ? ', …' : ''
  return `${count} ${word} (${shown.join(', ')}${more})`
}

/** What a receiver of alarms gets of each archive. */
export const alarmData = (alarms: readonly ArchiveAlarm[]) =>
  alarms.map(({ archive: { name, calendar }, failed, overdue }) => ({
    name,
    window: calendar.unit,
    time_zone: calendar.timeZone,
    counts: { failed: failed.count, overdue: overdue.count },
    failed: failed.windows.map(windowData),
    overdue: overdue.windows.map(windowData),
  }))

const windowData = ({ name, from, to, state, entry }: AlarmedWindow) => ({
  window: name,
  time_from: from.toISOString(),
  time_to: to.toISOString(),
  state,
  ...(entry === undefined ? {} : { generation: entry.generation, tries: entry.tries }),
  ...(entry?.error === undefined ? {} : { code: entry.error.code }),
  ...(entry?.exportId === undefined ? {} : { export_id: entry.exportId }),
  ...(entry?.retryAt === undefined ? {} : { retry_at: entry.retryAt.toISOString() }),
})
