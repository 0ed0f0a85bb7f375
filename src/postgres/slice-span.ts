import type { Span } from '../datasets/dataset.ts'

/** ms since 1970, rounded down: for times between `from` and `to`, not for them. */
const msOf = (time: string) => Date.parse(time)

/** A time within a span, about `share` of it behind its beginning; undefined where no millisecond lies between. */
export function timeWithin({ from, to }: Span, share: number): string | undefined {
  const [begin, end] = [msOf(from), msOf(to)]
  const at = Math.floor(begin + (end - begin) * share)
  const within = Math.max(at, begin + 1)
  return within < end ? new Date(within).toISOString() : undefined
}

/** Cuts a span into up to `count` of the same length, in order, without gaps. */
export function sliceSpan({ from, to }: Span, count: number): readonly Span[] {
  const cuts = new Set<string>()
  for (let n = 1; n < count; n++) {
    const cut = timeWithin({ from, to }, n / count)
    if (cut !== undefined) cuts.add(cut)
  }
  const ends = [...cuts, to]
  return ends.map((end, n) => ({ from: n === 0 ? from : (ends[n - 1] as string), to: end }))
}
