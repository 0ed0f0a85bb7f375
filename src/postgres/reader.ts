import type { DatasetQuery, Place, Segment, Segments, Span } from '../datasets/dataset.ts'
import type { RowBlock } from '../export/ports.ts'
import { EncodeError } from '../errors.ts'
import { KiB } from '../runtime/units.ts'
import { createBlockWriter, type BlockWriter } from './block-writer.ts'
import type { Row, Session } from './session.ts'
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

/** What the planner thinks of a statement. */
export interface Estimate {
  readonly rows: number
  /** In units of its own. */
  readonly cost: number
}

/** What a segment brought that was not all of it: where the rest begins. */
export type Rest = Segment | undefined

export interface ReadSegmentOptions {
  /** Rows that are expected. */
  readonly rows: number
  /** More than so many rows are not read; the rest is returned. */
  readonly limit: number
  /** What a row has on average, bytes. */
  readonly rowBytes: number
  readonly separator: string
}

/** Reads a query, or a segment of it, as blocks, over one session. */
export interface Reader {
  /** What the planner thinks of a query, or of a part of its range. */
  estimate(query: DatasetQuery, span?: Span): Promise<Estimate>
  /** Where the row stands that has `offset` rows before it; undefined when there are no more than those. */
  placeAt(segments: Segments, segment: Segment, offset: number): Promise<Place | undefined>
  readWhole(
    query: DatasetQuery,
    options: Omit<ReadSegmentOptions, 'rows' | 'limit'>,
  ): AsyncGenerator<RowBlock>
  /** @returns where the rest of the segment begins, if it has more than `limit` rows */
  readSegment(
    segments: Segments,
    segment: Segment,
    options: ReadSegmentOptions,
  ): AsyncGenerator<RowBlock, Rest>
  /** Reads a segment between two places: it has as many rows as were counted. */
  readPlaces(
    segments: Segments,
    segment: Segment,
    options: Omit<ReadSegmentOptions, 'rows' | 'limit'>,
  ): AsyncGenerator<RowBlock>
}

export function createReader(session: Session): Reader {
  let sorts = false

  async function allowSort(segments: Segments | undefined): Promise<void> {
    const allowed = segments?.mayBeSorted ?? false
    if (allowed === sorts) return
    const text = `select set_config('enable_sort', $1, true)`
    await session.ask({ text, values: [allowed ? 'on' : 'off'] })
    sorts = allowed
  }

  /** @returns the number of rows */
  async function* readRows(
    query: DatasetQuery,
    { rowBytes, separator }: { readonly rowBytes: number; readonly separator: string },
  ): AsyncGenerator<RowBlock, number> {
    const writer = createBlockWriter(separator)
    let read = 0
    for await (const rows of session.read(query, batchRowsFor(rowBytes))) {
      for (const row of rows) writer.write(row[0] ?? refuseNull(), 1)
      read += rows.length
      yield* writer.take()
    }
    return read
  }

  /** @returns the number of slices that were read to their ends */
  async function* readPacks(
    query: DatasetQuery,
    { rowBytes, separator }: { readonly rowBytes: number; readonly separator: string },
  ): AsyncGenerator<RowBlock, number> {
    const writer = createBlockWriter(separator)
    let read = 0
    for await (const packs of session.read(query, batchRowsFor(rowBytes * packRows))) {
      for (const pack of packs) {
        if (!writePack(writer, pack)) {
          yield* writer.take()
          return read
        }
        read++
      }
      yield* writer.take()
    }
    return read
  }

  async function placeAt(
    segments: Segments,
    segment: Segment,
    offset: number,
  ): Promise<Place | undefined> {
    const { text, values } = segments.places(segment)
    const [place] = await session.ask<{ at: string; id: string | null }>({
      text: `${text}\noffset ${offset} limit 1`,
      values,
    })
    return place === undefined ? undefined : { at: place.at, id: place.id ?? refuseNull() }
  }

  /** A row without an id stands at no place, and would be passed over behind one. */
  async function assertIds(segments: Segments, segment: Segment): Promise<void> {
    const { text, values } = segments.places(segment)
    const without = `select from (${text}) as places where id is null limit 1`
    const rows = await session.ask({ text: without, values })
    if (rows.length > 0) refuseNull()
  }

  return {
    async estimate(query, span) {
      const { segments } = query
      await allowSort(segments)
      const { text, values } = segments?.places(span ?? segments.range) ?? query
      const [row] = await session.ask<{ 'QUERY PLAN': [{ Plan: Plan }] }>({
        text: `explain (format json) ${text}`,
        values,
      })
      const plan = row?.['QUERY PLAN'][0].Plan
      return { rows: plan?.['Plan Rows'] ?? 0, cost: plan?.['Total Cost'] ?? 0 }
    },
    placeAt,
    async *readWhole(query, options) {
      await allowSort(query.segments)
      yield* readRows(query, options)
    },

    async *readSegment(segments, segment, options) {
      await allowSort(segments)
      if (segments.packed !== undefined) {
        const slices = sliceSpan(segment, Math.ceil(options.rows / packRows))
        const packing = { separator: options.separator, limit: packLimit }
        const done = yield* readPacks(segments.packed(slices, packing), options)
        const next = slices[done]
        if (next === undefined) return undefined
        const rest = { from: next.from, to: segment.to }
        await assertIds(segments, rest)
        return rest
      }
      const query = segments.of(segment)
      // with ties: whoever goes on behind the last place must find nothing more there
      const limited = `${query.text}\nfetch first ${options.limit} rows with ties`
      const read = yield* readRows({ ...query, text: limited }, options)
      if (read < options.limit) return undefined
      await assertIds(segments, segment)
      const after = await placeAt(segments, segment, read - 1)
      return after === undefined ? undefined : { ...segment, after }
    },

    async *readPlaces(segments, segment, options) {
      await allowSort(segments)
      yield* readRows(segments.of(segment), options)
    },
  }
}

interface Plan {
  readonly 'Plan Rows': number
  readonly 'Total Cost': number
}

/** @returns false when the slice has more than that */
function writePack(writer: BlockWriter, [elements, count]: Row): boolean {
  const rows = Number(count)
  if (rows >= packLimit) return false
  if (typeof elements === 'string') writer.write(elements, rows)
  return true
}

/** A view may present what the reference tables forbid. */
function refuseNull(): never {
  throw new EncodeError('A record without an id cannot be exported.', {
    hint: 'Give it an id in the source, or leave it out of the view.',
  })
}
