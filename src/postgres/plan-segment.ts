import type { DatasetQuery, Segment, Span } from '../datasets/dataset.ts'
import type { Estimate, Reader, SegmentedQuery } from './reader.ts'
import { timeWithin } from './slice-span.ts'

/** What one reader is to read next, or reads. */
export type Task = WholeTask | SpanTask | RestTask

/** A query that is read at once: it has no segments, or no use of them. */
export interface WholeTask {
  readonly kind: 'whole'
  readonly query: DatasetQuery
}

/** A segment between two times, and what is known of it. */
export interface SpanTask {
  readonly kind: 'span'
  readonly query: SegmentedQuery
  readonly segment: Segment
  /** What the planner thinks of it; nothing before it was asked. */
  readonly estimate?: Estimate
  /** The part of it that has nearly all of its rows. */
  readonly dense?: Span
}

/** What is left of a segment that has more rows than it was thought to have. It goes by places, not by times. */
export interface RestTask {
  readonly kind: 'rest'
  readonly query: SegmentedQuery
  readonly segment: Segment
  /** Rows to read at once, if more than are wanted. */
  readonly rows?: number
}

export function wholeRange(query: DatasetQuery): Task {
  const { segments } = query
  if (segments === undefined) return { kind: 'whole', query }
  return { kind: 'span', query: { ...query, segments }, segment: segments.range }
}

/** The first segment to read of a task, and what comes behind it. */
export interface Plan {
  readonly now: Task
  readonly later: readonly Task[]
}

/**
 * Cuts off what one reader is to read now: about `rows` rows. Costs a few statements that read nothing but
 * statistics; for a rest, one that follows the index as far as the rows to be read.
 */
export async function planSegment(
  reader: Pick<Reader, 'estimate' | 'placeAt'>,
  task: Task,
  rows: number,
): Promise<Plan> {
  switch (task.kind) {
    case 'whole':
      return { now: task, later: [] }
    case 'span':
      return planSpan(reader, task, rows)
    case 'rest':
      return planRest(reader, task, Math.max(rows, task.rows ?? 0))
  }
}

/** What it takes to follow an index to a place, ms: more means that rows were sorted to find it. */
const quickMs = (rows: number) => 5 + rows / 200

/**
 * Where no index gives the order, as with a view that makes the ids, each place costs a sort of all rows:
 * then each takes twice as many as the one before.
 */
async function planRest(
  { placeAt }: Pick<Reader, 'placeAt'>,
  task: RestTask,
  rows: number,
): Promise<Plan> {
  const { query, segment } = task
  const askedAt = performance.now()
  const place = await placeAt(query, segment, rows - 1)
  if (place === undefined) return { now: task, later: [] }
  const slow = performance.now() - askedAt > quickMs(rows)
  const behind = { ...task, segment: { ...segment, after: place } }
  return {
    now: { ...task, segment: { ...segment, upTo: place } },
    later: [slow ? { ...behind, rows: 2 * rows } : behind],
  }
}

/** A cut that leaves less than that to one side is no use: share of the rows that are wanted. */
const uselessShare = 1 / 16

/** Looks for a cut, each at half of what is left: a millisecond in ten thousand years. */
const mostLooks = 64

/** A part with half of the rows, that costs more than this share of all, is not found by an index. */
const dearShare = 0.8

async function planSpan(
  { estimate }: Pick<Reader, 'estimate'>,
  task: SpanTask,
  rows: number,
): Promise<Plan> {
  const { query } = task
  const ask = (span: Span) => estimate(query, span)
  const all = task.estimate ?? (await ask(task.segment))
  let now: SpanTask = { ...task, estimate: all }
  let expected = all
  const later: Task[] = []
  while (expected.rows > rows) {
    const { segment, dense = segment } = now
    const cut = await findCut(segment, dense, expected.rows, rows * uselessShare, ask)
    if (cut === undefined) break
    const { at, before, between } = cut
    // of a rest the cost is only a difference
    const dear = before.cost > dearShare * all.cost && before.rows < all.rows / 2
    if (dear && task.estimate === undefined) {
      return { now: { kind: 'whole', query: query.segments.of(task.segment) }, later: [] }
    }
    later.unshift({
      ...task,
      segment: { from: at, to: segment.to },
      dense: { from: at, to: between.to },
      estimate: { rows: expected.rows - before.rows, cost: expected.cost - before.cost },
    })
    now = {
      ...task,
      segment: { from: segment.from, to: at },
      dense: { from: between.from, to: at },
      estimate: before,
    }
    expected = before
  }
  return { now, later }
}

/**
 * A time with some of the rows before it, and some behind: a range may be much longer than the time in which
 * anything happened.
 * @param dense where to look
 */
async function findCut(
  { from }: Span,
  dense: Span,
  rows: number,
  few: number,
  ask: (span: Span) => Promise<Estimate>,
): Promise<{ at: string; before: Estimate; between: Span } | undefined> {
  let between = dense
  for (let look = 0; look < mostLooks; look++) {
    const at = timeWithin(between, 1 / 2)
    if (at === undefined) return undefined
    const before = await ask({ from, to: at })
    if (before.rows < few) between = { from: at, to: between.to }
    else if (rows - before.rows < few) between = { from: between.from, to: at }
    else return { at, before, between }
  }
  return undefined
}
