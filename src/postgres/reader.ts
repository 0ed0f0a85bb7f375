import type { DatasetQuery, Place, Segment, Segments, Span } from '../datasets/dataset.ts'
import type { RowBlock } from '../export/ports.ts'
import { EncodeError } from '../errors.ts'
import { KiB } from '../runtime/units.ts'
import { createBlockWriter } from './block-writer.ts'
import { explain } from './explain.ts'
import type { Session } from './session.ts'
import { sliceSpan } from './slice-span.ts'

/** What one round trip to the server may well bring: enough for latency not to count, bytes. */
const batchBytes = 512 * KiB

/** Rows of one round trip. */
const batchRowsFor = (rowBytes: number) =>
  Math.min(5000, Math.max(1, Math.floor(batchBytes / rowBytes)))

/** Elements that are packed into one row: a string of V8 that large is not yet a dear one. */
const packRows = 1000

/** A slice that has so many times as many was misjudged; it is left to be read in another way. */
const packLimit = 8 * packRows

/** A query that can be read segment by segment. */
export type SegmentedQuery = DatasetQuery & { readonly segments: Segments }

/** What the planner thinks of a statement. */
export interface Estimate {
  readonly rows: number
  /** In units of its own. */
  readonly cost: number
}

export interface ReadQueryOptions {
  /** What a row has on average, bytes. */
  readonly rowBytes: number
  readonly separator: string
}

export interface ReadSegmentOptions extends ReadQueryOptions {
  /** Rows that are expected. */
  readonly rows: number
  /** More than so many rows are not read; the rest is returned. */
  readonly limit: number
}

/** Reads a query, or a segment of it, as blocks, over one session. */
export interface Reader {
  /** What the planner thinks of a query, or of a part of its range. */
  estimate(query: DatasetQuery, span?: Span): Promise<Estimate>
  /** Where the row stands that has `offset` rows before it; undefined when there are no more than those. */
  placeAt(query: SegmentedQuery, segment: Segment, offset: number): Promise<Place | undefined>
  readQuery(query: DatasetQuery, options: ReadQueryOptions): AsyncGenerator<RowBlock, unknown>
  /** @returns the rest of the segment, if it has more than `limit` rows */
  readSegment(
    query: SegmentedQuery,
    segment: Segment,
    options: ReadSegmentOptions,
  ): AsyncGenerator<RowBlock, Segment | undefined>
}

/** Whether statements of the session may sort; they may not when it begins. */
export async function setSort({ ask }: Pick<Session, 'ask'>, allowed: boolean): Promise<void> {
  const text = `select set_config('enable_sort', $1, true)`
  await ask({ text, values: [allowed ? 'on' : 'off'] })
}

export function createReader(session: Session): Reader {
  let sorts = false
  /** Of whole queries, which are asked for twice: how many rows there are to come, and where to cut them. */
  const estimates = new WeakMap<object, Estimate>()

  async function allowSort(allowed: boolean): Promise<void> {
    if (allowed === sorts) return
    await setSort(session, allowed)
    sorts = allowed
  }

  async function* read(query: DatasetQuery, rowBytes: number, take?: (text: string) => void) {
    await allowSort(query.mayBeSorted)
    yield* session.read(query, { batchRows: batchRowsFor(rowBytes), take })
  }

  /** @returns the number of rows */
  async function* readElements(
    query: DatasetQuery,
    { rowBytes, separator }: ReadQueryOptions,
  ): AsyncGenerator<RowBlock, number> {
    const writer = createBlockWriter(separator)
    let written = 0
    function take(element: string): void {
      writer.write(element, 1)
      written++
    }
    for await (const rows of read(query, rowBytes, take)) {
      if (rows.some(([element]) => element === null)) refuseNull()
      yield* writer.take()
    }
    return written
  }

  /** @returns the number of packs before the first that was not read to its end: all, mostly */
  async function* readPacks(
    query: DatasetQuery,
    { rowBytes, separator }: ReadQueryOptions,
  ): AsyncGenerator<RowBlock, number> {
    const writer = createBlockWriter(separator)
    let whole = 0
    for await (const packs of read(query, rowBytes)) {
      for (const [elements, count] of packs) {
        const rows = Number(count)
        if (rows >= packLimit) {
          yield* writer.take()
          return whole
        }
        if (typeof elements === 'string') writer.write(elements, rows)
        whole++
      }
      yield* writer.take()
    }
    return whole
  }

  async function placeAt(
    query: SegmentedQuery,
    segment: Segment,
    offset: number,
  ): Promise<Place | undefined> {
    await allowSort(query.mayBeSorted)
    const { text, values } = query.segments.places(segment)
    const [place] = await session.ask<{ at: string; id: string | null }>({
      text: `${text}\noffset ${offset} limit 1`,
      values,
    })
    return place === undefined ? undefined : { at: place.at, id: place.id ?? refuseNull() }
  }

  /** A row without an id stands at no place, and would be passed over behind one. */
  async function assertIds({ segments }: SegmentedQuery, segment: Segment): Promise<void> {
    const { text, values } = segments.places(segment)
    const without = `select from (${text}) as places where id is null limit 1`
    const rows = await session.ask({ text: without, values })
    if (rows.length > 0) refuseNull()
  }

  return {
    async estimate(query, span) {
      const { segments } = query
      const isWhole = span === undefined || span === segments?.range
      const known = isWhole ? estimates.get(segments ?? query) : undefined
      if (known !== undefined) return known
      await allowSort(query.mayBeSorted)
      const plan = await explain(session, segments?.places(span ?? segments.range) ?? query)
      const estimate = { rows: plan?.['Plan Rows'] ?? 0, cost: plan?.['Total Cost'] ?? 0 }
      if (isWhole) estimates.set(segments ?? query, estimate)
      return estimate
    },
    placeAt,
    readQuery: readElements,

    async *readSegment(query, segment, options) {
      const { segments } = query
      const { rows, limit, rowBytes, separator } = options
      if (segments.packed !== undefined) {
        const slices = sliceSpan(segment, Math.ceil(rows / packRows))
        const packs = segments.packed(slices, { separator, limit: packLimit })
        const packing = { rowBytes: rowBytes * packRows, separator }
        const next = slices[yield* readPacks(packs, packing)]
        if (next === undefined) return undefined
        const rest = { from: next.from, to: segment.to }
        await assertIds(query, rest)
        return rest
      }
      const whole = segments.of(segment)
      // with ties: whoever goes on behind the last place must find nothing more there
      const limited = { ...whole, text: `${whole.text}\nfetch first ${limit} rows with ties` }
      const count = yield* readElements(limited, options)
      if (count < limit) return undefined
      await assertIds(query, segment)
      const after = await placeAt(query, segment, count - 1)
      return after === undefined ? undefined : { ...segment, after }
    },
  }
}

/** A view may present what the reference tables forbid. */
function refuseNull(): never {
  throw new EncodeError('A record without an id cannot be exported.', {
    hint: 'Give it an id in the source, or leave it out of the view.',
  })
}
