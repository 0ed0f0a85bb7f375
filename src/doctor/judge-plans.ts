import { ok, warning, type Verdict } from './finding.ts'
import type { PlanFacts, ScanFacts } from './ports.ts'

/** To read all of a smaller table is nothing to speak of, rows. */
const bigTableRows = 10_000

/** Pure. */
export function judgePlans(
  { from, to }: { readonly from: string; readonly to: string },
  plans: readonly PlanFacts[],
): Verdict {
  const range = `from ${minutes(from)} to ${minutes(to)}`
  const rows = plans.reduce((sum, plan) => sum + plan.rows, 0)
  const expected = `about ${count(rows)} records`
  const scans = plans.flatMap((plan) => plan.scans)
  const whole = scans.filter((scan) => scan.index === undefined && scan.tableRows >= bigTableRows)
  if (whole.length > 0) {
    return warning(
      `${expected} ${range} would be found by reading the whole of ${unique(whole.map(describe))}`,
      'See what the checks of indexes and statistics say; where a view presents the table, its indexes are those of the tables behind it.',
    )
  }
  if (plans.some(({ sorts }) => sorts)) {
    return warning(
      `${expected} ${range} would be sorted before the first one comes`,
      'Give the table behind an index in the order of the event and the id (collate "C"), as the reference schema has it.',
    )
  }
  const indexes = scans.flatMap(({ index }) => index ?? [])
  const by =
    indexes.length === 0 ? 'without an index, as the tables are small' : `by ${unique(indexes)}`
  return ok(`${expected} ${range} would be found ${by}`)
}

const unique = (names: readonly string[]) => [...new Set(names)].join(', ')
const count = (rows: number) => Math.round(rows).toLocaleString('en-US')
const describe = ({ table, tableRows }: ScanFacts) => `${table} (${count(tableRows)} rows)`

/** `2014-07-22T12:00Z`. */
const minutes = (time: string) => `${time.slice(0, 16)}Z`
