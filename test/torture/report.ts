import { MiB } from '../../src/runtime/units.ts'
import type { Audited } from './audit.ts'
import type { Order } from './customers.ts'
import type { Violation } from './findings.ts'
import type { FaultEvent } from './storm.ts'

/** Of the artifact store; what is no larger goes up in one piece. */
const partBytes = 8 * MiB

export interface Run {
  readonly orders: readonly Order[]
  readonly faults: readonly FaultEvent[]
  readonly audited: Audited
  readonly failedStarts: number
  readonly lateStops: number
  readonly violations: readonly Violation[]
}

/** What a person wants to know of a run, as lines. */
export function buildReport(run: Run): string[] {
  const { orders, faults, audited, failedStarts, lateStops, violations } = run
  const { records } = audited
  const struck = faults.filter((fault) => fault.struck)
  const failed = records.filter(({ state }) => state === 'failed')
  const attempts = records.map(({ attempt }) => attempt)
  const retries = attempts.reduce((sum, attempt) => sum + Math.max(0, attempt - 1), 0)
  const parts = orders.map(({ request }) =>
    Math.max(1, Math.ceil((audited.expectations.get(request)?.bytes ?? 0) / partBytes)),
  )
  const many = parts.filter((count) => count >= 3).length
  const canceledBy = orders.filter(({ cancels }) => cancels.length > 0)
  const downloads = orders.flatMap(({ download }) => (download === undefined ? [] : [download]))
  return [
    `exports: ${records.length}; ${tally(records.map(({ state }) => state))}`,
    `parts: ${tally(parts.map(String))}; three or more: ${many} (${percent(many, parts.length)})`,
    `attempts: ${tally(attempts.map(String))}; ${retries} retries`,
    `cancels: ${canceledBy.length}, by two at once ${canceledBy.filter(({ cancels }) => cancels.length > 1).length}; ` +
      tally(canceledBy.map(({ cancels }) => [...new Set(cancels)].sort().join(' and '))),
    `downloads meanwhile: ${downloads.length}; ${tally(downloads.map((each) => ('code' in each ? each.code : 'whole')))}`,
    `starts that failed for want of a server: ${failedStarts}; stops given up for want of one: ${lateStops}`,
    `faults: ${faults.length}; ${struck.length} struck a running attempt (${percent(struck.length, faults.length)})`,
    ...faultLines(faults),
    ...failed.map(({ id, error }) => `failed: export ${id}: ${error?.code}: ${error?.message}`),
    `violations: ${violations.length}${violations.length === 0 ? '' : `; ${tally(violations.map(({ kind }) => kind))}`}`,
  ]
}

/** One kind a line, with what it struck. */
function faultLines(faults: readonly FaultEvent[]): string[] {
  return [...new Set(faults.map(({ name }) => name))].sort().map((name) => {
    const these = faults.filter((fault) => fault.name === name)
    const struck = these.filter((fault) => fault.struck).length
    const count = `${these.length}`.padStart(5)
    return `  ${name.padEnd(28)} ${count}, struck ${struck} (${tally(these.map(({ target }) => target))})`
  })
}

/** `3 x, 1 y`, by their order. */
function tally(values: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const value of [...values].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))) {
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return [...counts].map(([value, count]) => `${value}: ${count}`).join(', ')
}

const percent = (part: number, whole: number): string =>
  `${whole === 0 ? 0 : Math.round((100 * part) / whole)} %`
