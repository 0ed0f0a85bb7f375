import { describe, expect, it } from 'vitest'
import type { Place, Segment } from '../../src/datasets/dataset.ts'
import { planSegment, wholeRange, type Task } from '../../src/postgres/plan-segment.ts'
import { endsOf, knowing, segmentedQuery } from '../support/segmented-query.ts'

const range = { from: '1900-01-01T00:00:00Z', to: '2200-01-01T00:00:00Z' }
const never = () => Promise.reject(new Error('asked for a place'))

/** Plans to the end. @returns the spans in their order, and how often the planner was asked */
async function planAll(timesMs: readonly number[], rows: number, options = {}) {
  let asked = 0
  const know = knowing(timesMs, options)
  const reader = {
    estimate: (...args: Parameters<typeof know>) => {
      asked++
      return know(...args)
    },
    placeAt: never,
  }
  const done: Task[] = []
  for (let tasks: readonly Task[] = [wholeRange(segmentedQuery(range))]; tasks.length > 0;) {
    const [first, ...behind] = tasks
    const plan = await planSegment(reader, first!, rows)
    done.push(plan.now)
    tasks = [...plan.later, ...behind]
  }
  return { done, asked }
}

const spanOf = (task: Task): Segment => {
  if (task.kind === 'whole') throw new Error('not a span')
  return task.segment
}

const july = Date.parse('2014-07-01T00:00:00Z')
const evenly = Array.from({ length: 10_000 }, (_, n) => july + n * 267_840)

describe('the plan of a range', () => {
  it('has segments that follow on each other, from its beginning to its end', async () => {
    const { done } = await planAll(evenly, 500)
    const spans = done.map(spanOf)
    expect(spans[0]!.from).toBe(range.from)
    expect(spans.at(-1)!.to).toBe(range.to)
    for (const [n, { from }] of spans.entries()) if (n > 0) expect(from).toBe(spans[n - 1]!.to)
  })

  it('has about as many rows in each as were wanted, however long nothing happened', async () => {
    const { done, asked } = await planAll(evenly, 500)
    const sizes = done.map((task) => {
      const [from, to] = endsOf(spanOf(task))
      return evenly.filter((ms) => ms >= from && ms < to).length
    })
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500)
    expect(done.length).toBeLessThan(60)
    expect(asked).toBeLessThan(3 * done.length)
  })

  it('leaves a burst of one instant whole: it cannot be cut by time', async () => {
    const at = july + 1_000_000_000
    const burst = [...evenly, ...Array.from({ length: 50_000 }, () => at)]
    const { done } = await planAll(burst, 500)
    const spans = done.map((task) => endsOf(spanOf(task)))
    const [from, to] = spans.find(([begin, end]) => begin <= at && at < end)!
    expect(evenly.filter((ms) => ms >= from && ms < to).length).toBeLessThan(500)
    expect(done.length).toBeLessThan(60)
  })

  it('is one segment when there is little', async () => {
    const { done, asked } = await planAll(evenly.slice(0, 400), 500)
    expect(done.map(spanOf)).toEqual([range])
    expect(asked).toBe(1)
  })

  it('is to read at once what each segment would read all of, for want of an index', async () => {
    const { done } = await planAll(evenly, 500, { index: false })
    expect(done.map(({ kind }) => kind)).toEqual(['whole'])
  })

  it('is to read at once what has no segments', async () => {
    const query = segmentedQuery(range).segments.of(range)
    const plan = await planSegment({ estimate: never, placeAt: never }, wholeRange(query), 500)
    expect(plan).toEqual({ now: { kind: 'whole', query }, later: [] })
  })
})

describe('the plan of a rest', () => {
  const query = segmentedQuery(range)
  const after: Place = { at: '2014-07-22 12:00:00+00', id: 'b' }
  const place: Place = { at: '2014-07-22 12:00:00+00', id: 'k' }
  const rest = {
    kind: 'rest',
    query,
    segment: { ...range, after },
  } as const

  it('ends with the place of the last row that was wanted, and goes on behind it', async () => {
    const placeAt = (_: unknown, segment: Segment, offset: number) =>
      Promise.resolve(offset === 499 && segment === rest.segment ? place : undefined)
    const { now, later } = await planSegment({ estimate: never, placeAt }, rest, 500)
    expect(spanOf(now)).toEqual({ ...range, after, upTo: place })
    expect(later.map(spanOf)).toEqual([{ ...range, after: place }])
  })

  it('is all of it when there are no more rows than that', async () => {
    const placeAt = () => Promise.resolve(undefined)
    const plan = await planSegment({ estimate: never, placeAt }, rest, 500)
    expect(plan).toEqual({ now: rest, later: [] })
  })
})
