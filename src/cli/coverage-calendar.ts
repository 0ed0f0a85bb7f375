import { startOfDate } from '../archive/calendar.ts'
import type { ArchiveCoverage, CoveredWindow } from '../archive/coverage.ts'
import type { Calendar, CoverageState, LedgerWindow } from '../archive/model.ts'
import { describeHold } from './hold-display.ts'
import { formatCount } from './output.ts'

const marks: Readonly<Record<CoverageState, string>> = {
  archived: '#',
  running: 'r',
  planned: 'p',
  failed: 'F',
  missing: '.',
  settling: '~',
  deleted: '-',
}

/** Of ranges and failed windows each, at most. */
const shown = 20

/** What a row of the calendar holds, and where in it a window stands, counted from 0. */
const layouts = {
  month: { row: ({ date }: CoveredWindow) => date.slice(0, 4), columns: 12 },
  day: { row: ({ date }: CoveredWindow) => date.slice(0, 7), columns: 31 },
  hour: { row: ({ date }: CoveredWindow) => date, columns: 25 },
} as const

/** An archive for a person: a line about the whole, a calendar with a character a window, and what wants a look. */
export function drawCoverage({ archive, windows, holds = [] }: ArchiveCoverage): readonly string[] {
  const { unit, timeZone } = archive.calendar
  const counts = Object.entries(countStates(windows))
  const sums = counts.map(([state, count]) => `${formatCount(count)} ${state}`).join(', ')
  const present = counts.map(([state]) => `${marks[state as CoverageState]} ${state}`).join('  ')
  return [
    `${archive.name}: by the ${unit}, ${timeZone}: ${sums === '' ? 'nothing is over yet' : sums}`,
    ...(windows.length === 0
      ? []
      : [...drawRows(archive.calendar, windows), `${' '.repeat(12)}${present}`]),
    ...limited(missingRanges(windows), 'missing ranges'),
    ...limited(windows.flatMap(describeFailed), 'failed'),
    ...limited(windows.flatMap(describeRepair), 'repairs'),
    ...limited(
      holds.map((hold) => `held     ${describeHold(hold)}`),
      'holds',
    ),
  ]
}

function drawRows(calendar: Calendar, windows: readonly CoveredWindow[]): readonly string[] {
  const { row, columns } = layouts[calendar.unit]
  const rows = new Map<string, string[]>()
  for (const window of windows) {
    const name = row(window)
    let cells = rows.get(name)
    if (cells === undefined) rows.set(name, (cells = Array<string>(columns).fill(' ')))
    cells[columnOf(calendar, window)] = marks[window.state]
  }
  return [...rows].map(([name, cells]) => `  ${name.padEnd(10)}${cells.join('')}`.trimEnd())
}

const hourMs = 3_600_000

function columnOf({ unit, timeZone }: Calendar, { date, from }: CoveredWindow): number {
  if (unit === 'month') return Number(date.slice(5, 7)) - 1
  if (unit === 'day') return Number(date.slice(8, 10)) - 1
  // of which a day may have 23 or 25
  const midnight = startOfDate(date, timeZone) ?? from
  return Math.floor((from.getTime() - midnight.getTime()) / hourMs)
}

/** How many windows are in which state, in the order of the marks; without those that are none. */
export const countStates = (
  windows: readonly CoveredWindow[],
): Partial<Record<CoverageState, number>> =>
  Object.fromEntries(
    Object.keys(marks)
      .map((state) => [state, windows.filter((window) => window.state === state).length] as const)
      .filter(([, count]) => count > 0),
  )

/** Neighbours that are missing, as one line. */
function missingRanges(windows: readonly CoveredWindow[]): readonly string[] {
  const ranges: { first: CoveredWindow; last: CoveredWindow }[] = []
  windows.forEach((window, index) => {
    if (window.state !== 'missing') return
    const range = ranges.at(-1)
    if (range !== undefined && range.last === windows[index - 1]) range.last = window
    else ranges.push({ first: window, last: window })
  })
  return ranges.map(({ first, last }) =>
    first === last ? `missing  ${first.name}` : `missing  ${first.name} to ${last.name}`,
  )
}

/** Also one that is tried again. */
function describeFailed({ name, state, entry }: CoveredWindow): readonly string[] {
  if (entry?.error === undefined || state === 'archived' || state === 'deleted') return []
  const begin = state === 'failed' ? 'failed ' : 'again  '
  return [`${begin}  ${name}, ${describeTry(entry)}`]
}

function describeRepair({ name, repair }: CoveredWindow): readonly string[] {
  if (repair === undefined) return []
  const what = `${name}, generation ${repair.generation} ${repair.state}`
  return [`repair   ${what}${repair.error === undefined ? '' : `, ${describeTry(repair)}`}`]
}

function describeTry({ tries, retryAt, error }: LedgerWindow): string {
  const next = retryAt === undefined ? '' : `, again at ${retryAt.toISOString()}`
  return `try ${tries}${next}: ${error?.message ?? 'for an unknown reason'}`
}

const limited = (lines: readonly string[], what: string) => [
  ...lines.slice(0, shown).map((line) => `  ${line}`),
  ...(lines.length > shown ? [`  … and ${formatCount(lines.length - shown)} more ${what}`] : []),
]
