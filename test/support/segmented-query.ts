import type { DatasetQuery, Segment, Span } from '../../src/datasets/dataset.ts'
import type { Estimate, SegmentedQuery } from '../../src/postgres/reader.ts'

const none = {
  values: [],
  rowBytes: 10,
  tables: [],
  refusal: () => undefined,
  mayBeSorted: false,
}

/** A query over numbers of milliseconds since 1970, which knows its segments by their JSON. */
export function segmentedQuery(range: Span): SegmentedQuery {
  const of = (segment: Segment): DatasetQuery => ({ ...none, text: JSON.stringify(segment) })
  const segments = { range, of, places: of }
  return { ...of(range), segments }
}

/** A planner that knows all times exactly. An index makes the cost of a span that of its rows. */
export const knowing =
  (timesMs: readonly number[], { index = true } = {}) =>
  (_query: DatasetQuery, span?: Span): Promise<Estimate> => {
    const [from, to] = span === undefined ? [-Infinity, Infinity] : endsOf(span)
    const rows = timesMs.filter((ms) => ms >= from && ms < to).length
    // like the real one, it never expects nothing
    return Promise.resolve({ rows: Math.max(1, rows), cost: index ? rows : timesMs.length })
  }

export const endsOf = ({ from, to }: Span): readonly [number, number] => [
  Date.parse(from),
  Date.parse(to),
]
