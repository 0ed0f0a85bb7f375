import type { DatasetQuery } from '../datasets/dataset.ts'
import type { ReadOptions, RowBlock } from '../export/ports.ts'
import { inSpan } from '../runtime/trace.ts'
import { planSegment, wholeRange, type SpanTask, type Task } from './plan-segment.ts'
import type { Reader, ReadSegmentOptions } from './reader.ts'
import type { RowSizes } from './row-sizes.ts'

/** A segment that has so many times the rows that were wanted is left to be planned anew. */
const patience = 2

/** A dataset's own guess may be so many times too small: a first batch of the largest documents must fit, too. */
const doubt = 8

export interface ReadAheadDeps {
  /** There at once. */
  readonly first: Reader
  /** Opens another one; undefined when there are to be no more. May fail: then the others do its work. */
  readonly another: () => Promise<Reader> | undefined
  /** Asked of each reader between two segments; true when it is to read no more. Never of the last one. */
  readonly dismiss: (reader: Reader) => boolean
  readonly sizes: ReadAheadSizes
  readonly rowSizes: RowSizes
  /** Told that nobody wants rows any more: whatever a reader still waits for is to end. */
  readonly stop: (finished: boolean) => void
}

export interface ReadAheadSizes {
  /** What a segment is to have, bytes; readers take turns at segments. */
  readonly segmentBytes: number
  /** What is read before it is wanted, and held, bytes: less than two segments for each reader lets them wait. */
  readonly readAheadBytes: number
}

/** A task in the order of the artifact, and what has been read of it. */
interface Slot {
  task: Task
  taken: boolean
  done: boolean
  readonly blocks: RowBlock[]
  next: Slot | undefined
}

/**
 * Reads queries by several readers, segment by segment, and yields all blocks in their order. Readers take the
 * first segment that nobody reads yet; what they are ahead of the others is bounded by bytes.
 */
export async function* readAhead(
  queries: readonly DatasetQuery[],
  { first, another, dismiss, sizes, rowSizes, stop }: ReadAheadDeps,
  { separator }: ReadOptions,
): AsyncGenerator<RowBlock> {
  const { segmentBytes, readAheadBytes } = sizes
  /** The one whose blocks come next. */
  let head = chain(queries.map(wholeRange), undefined)
  let heldBytes = 0
  let failure: { readonly error: unknown } | undefined
  let stopped = false
  const changed = createCondition()
  const seen = { rows: 0, bytes: 0 }
  let planning: Promise<unknown> = Promise.resolve()
  const working: Promise<void>[] = []

  /** Measured; before anything of this query ever was, so much that the first look is a short one. */
  function rowBytes({ kind, query }: Task): number {
    const measured = seen.rows > 0 ? seen.bytes / seen.rows : rowSizes.of(query)
    if (measured !== undefined) return measured
    return kind === 'whole' ? query.rowBytes : doubt * query.rowBytes
  }
  const wantedRows = (task: Task) => Math.max(1, Math.ceil(segmentBytes / rowBytes(task)))

  const untaken = () => find(head, ({ taken }) => !taken)
  const mayTake = (slot: Slot) => heldBytes < readAheadBytes || slot === head

  /** One at a time: who plans ahead of another would read far behind it. */
  function take(reader: Reader): Promise<Slot | undefined> {
    const taking = planning.then(async () => {
      const slot = untaken()
      if (slot === undefined || !mayTake(slot)) return undefined
      slot.taken = true
      const plan = await planSegment(reader, slot.task, wantedRows(slot.task))
      slot.task = plan.now
      slot.next = chain(plan.later, slot.next)
      changed.notify()
      return slot
    })
    planning = taking.catch(() => undefined)
    return taking
  }

  function read(reader: Reader, slot: Slot): AsyncGenerator<RowBlock, unknown> {
    const { task } = slot
    const options = { rowBytes: rowBytes(task), separator }
    switch (task.kind) {
      case 'whole':
        return reader.readQuery(task.query, options)
      case 'rest':
        return reader.readQuery(task.query.segments.of(task.segment), options)
      case 'span': {
        const rows = Math.max(1, task.estimate?.rows ?? 1)
        const limit = patience * Math.max(rows, wantedRows(task))
        return readSpan(reader, slot, task, { ...options, rows, limit })
      }
    }
  }

  async function* readSpan(
    reader: Reader,
    slot: Slot,
    { query, segment }: SpanTask,
    options: ReadSegmentOptions,
  ): AsyncGenerator<RowBlock, void> {
    const rest = yield* reader.readSegment(query, segment, options)
    if (rest === undefined) return
    slot.next = chain([{ kind: 'rest', query, segment: rest }], slot.next)
  }

  const fill = (reader: Reader, slot: Slot): Promise<void> =>
    inSpan('read segment', {}, async (span) => {
      const read = await takeBlocks(reader, slot)
      span.setAttributes({ 'longhaul.rows': read.rows, 'longhaul.bytes': read.bytes })
    })

  async function takeBlocks(reader: Reader, slot: Slot) {
    const filled = { rows: 0, bytes: 0 }
    for await (const block of read(reader, slot)) {
      filled.rows += block.rows
      filled.bytes += block.bytes.length
      seen.rows += block.rows
      seen.bytes += block.bytes.length
      heldBytes += block.bytes.length
      slot.blocks.push(block)
      changed.notify()
      // the one that comes next goes on whatever the others hold
      while (heldBytes >= readAheadBytes && !(slot === head && slot.blocks.length === 0)) {
        if (stopped) return filled
        await changed.wait()
      }
      if (stopped) return filled
    }
    rowSizes.measured(slot.task.query, seen)
    slot.done = true
    changed.notify()
    return filled
  }

  async function work(reader: Reader): Promise<void> {
    while (!stopped && !dismiss(reader)) {
      // from before the look: what changes meanwhile must not be missed
      const change = changed.wait()
      const slot = await take(reader)
      if (slot !== undefined) {
        if (untaken() !== undefined) callAnother()
        await fill(reader, slot)
      } else if (find(head, ({ done }) => !done) === undefined) return
      else await change
    }
  }

  function employ(reader: Reader): Promise<void> {
    return work(reader).catch((error: unknown) => {
      failure ??= { error }
      changed.notify()
    })
  }

  function callAnother(): void {
    const opening = another()
    // without it, the others do its work
    if (opening !== undefined) working.push(opening.then(employ, () => undefined))
  }

  working.push(employ(first))
  try {
    for (; head !== undefined; head = head.next) {
      const slot = head
      changed.notify()
      for (;;) {
        if (failure !== undefined) throw failure.error
        const block = slot.blocks.shift()
        if (block !== undefined) {
          heldBytes -= block.bytes.length
          changed.notify()
          yield block
        } else if (slot.done) break
        else await changed.wait()
      }
    }
  } finally {
    stopped = true
    stop(head === undefined)
    changed.notify()
    await Promise.all(working)
  }
}

/** Puts tasks before `next`. */
function chain(tasks: readonly Task[], next: Slot | undefined): Slot | undefined {
  return tasks.reduceRight<Slot | undefined>(
    (behind, task) => ({ task, taken: false, done: false, blocks: [], next: behind }),
    next,
  )
}

function find(from: Slot | undefined, matches: (slot: Slot) => boolean): Slot | undefined {
  for (let slot = from; slot !== undefined; slot = slot.next) if (matches(slot)) return slot
  return undefined
}

/** Wakes all that wait whenever something has changed. */
function createCondition() {
  let wake: () => void = () => undefined
  let change = new Promise<void>((resolve) => (wake = resolve))
  return {
    wait: () => change,
    notify() {
      wake()
      change = new Promise<void>((resolve) => (wake = resolve))
    },
  }
}
