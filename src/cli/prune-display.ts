import type { KeepDecision } from '../archive/keep.ts'
import type { PrunedWindow, PruneOutcome, PrunePlan } from '../archive/prune.ts'
import type { PrunedArchive } from '../compose-retention.ts'
import { formatBytes, formatCount } from './output.ts'

/** What a policy of windows that do not overlap means, in one sentence. */
export const keepMeaning =
  'What is deleted is gone: each window holds records that no other window has, and none stands in for it.'

/** Neighbours of the same fate for the same reason. */
interface FateRange {
  readonly first: string
  last: string
  count: number
  readonly what: string
}

function condense(
  windows: readonly { readonly name: string; readonly what: string }[],
): readonly FateRange[] {
  const ranges: FateRange[] = []
  for (const { name, what } of windows) {
    const range = ranges.at(-1)
    if (range?.what === what) {
      range.last = name
      range.count++
    } else ranges.push({ first: name, last: name, count: 1, what })
  }
  return ranges
}

const lineOf = (fate: string, { first, last, count, what }: FateRange) =>
  `  ${fate.padEnd(9)}${first === last ? first : `${first} to ${last}`}  ${countWindows(count)}: ${what}`

const countWindows = (count: number) =>
  `${formatCount(count)} ${count === 1 ? 'window' : 'windows'}`

/** Before anything is deleted. */
export const announcePrune = ({ archive, policy, decisions, unremoved }: PrunePlan): string => {
  const doomed = decisions.filter(({ keep }) => !keep).length
  const left = unremoved.length === 0 ? '' : `, ${formatCount(unremoved.length)} deleted before`
  return `${archive.name}: keep ${policy.text}: ${countWindows(doomed)} to delete${left}`
}

/** As soon as it is known what became of it. */
export function describeOne({ window, outcome, problem, rows, bytes }: PrunedWindow): string {
  const size =
    rows === undefined || bytes === undefined
      ? ''
      : `  ${formatCount(rows)} rows, ${formatBytes(bytes)}`
  const what = `${fates[outcome].padEnd(8)} ${window.archive} ${window.name}`
  return problem === undefined ? `${what}${size}` : `${what}: ${problem}`
}

const fates: Readonly<Record<PruneOutcome, string>> = {
  ...{ deletable: 'delete', deleted: 'deleted', kept: 'cannot', unremoved: 'left' },
}

/** What is kept of an archive, and why; a line for neighbours that are kept for the same reasons. */
export function describeKept({ archive, policy, decisions }: PrunePlan): readonly string[] {
  const kept = decisions.filter(({ keep }) => keep)
  const ranges = condense(
    kept.map(({ window, reasons }) => ({ name: window.name, what: reasons.join('; ') })),
  )
  return [
    `${archive.name}: keep ${policy.text}: ${countWindows(decisions.length)} archived, ${formatCount(kept.length)} kept`,
    ...ranges.map((range) => lineOf('keep', range)),
  ]
}

/** What is deleted, or would be, and what could not be; likewise. */
export function describePruned(pruned: readonly PrunedWindow[]): readonly string[] {
  const lines: string[] = []
  for (const [outcome, fate] of Object.entries(fates)) {
    const windows = pruned.filter((each) => each.outcome === outcome)
    const named = windows.map(({ window, reason, problem }) => ({
      name: window.name,
      what: problem ?? reason,
    }))
    lines.push(...condense(named).map((range) => lineOf(fate, range)))
  }
  return lines
}

/** The sum of an archive. */
export function describeSum(pruned: readonly PrunedWindow[], apply: boolean): string {
  const outcome = apply ? 'deleted' : 'deletable'
  const done = pruned.filter((each) => each.outcome === outcome)
  const bytes = done.reduce((sum, each) => sum + (each.bytes ?? 0), 0)
  const rows = done.reduce((sum, each) => sum + (each.rows ?? 0), 0)
  const failed = pruned.length - done.length
  return (
    `  ${countWindows(done.length)} ${apply ? 'deleted' : 'would be deleted'}, ` +
    `${formatCount(rows)} rows, ${formatBytes(bytes)}${failed === 0 ? '' : `; ${formatCount(failed)} could not be`}`
  )
}

export const viewPruned = ({ plan, pruned }: PrunedArchive) => ({
  name: plan.archive.name,
  keep: plan.policy.text,
  confirmed_keep: plan.archive.confirmedKeep,
  kept: plan.decisions.filter(({ keep }) => keep).map(viewKept),
  windows: pruned.map(({ window, reason, outcome, problem, rows, bytes }) => ({
    ...{ window: window.name, date: window.date, outcome, reason, problem, rows, bytes },
  })),
})

const viewKept = ({ window, reasons }: KeepDecision) => ({
  ...{ window: window.name, date: window.date, reasons },
})
