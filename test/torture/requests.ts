import type { ExportRequestBody } from '../../src/client/client.ts'
import type { Dice } from '../support/dice.ts'
import { day, hourMs } from './source-data.ts'

/** One of a limited set of requests, so that each has to be worked out only once. */
export interface KnownRequest {
  readonly name: string
  readonly body: Required<Omit<ExportRequestBody, 'dataset'>>
}

type Filters = readonly [
  events: 'any' | 'started' | 'completed',
  state: 'any' | 'active' | 'inactive',
]

/** Three parts or more: hours of the day, by what share of the services the filters leave. */
const large: readonly (readonly [...Filters, hours: number, starts: readonly number[]])[] = [
  ['started', 'any', 2, [0, 3, 6, 9, 12, 15, 18, 21]],
  ['any', 'any', 2, [2, 8, 14, 20]],
  ['completed', 'any', 4, [4, 13]],
  ['any', 'inactive', 4, [1, 16]],
  ['started', 'inactive', 4, [10]],
  ['any', 'active', 7, [0]],
  ['started', 'active', 7, [11]],
  ['started', 'any', 5, [17]],
]

/** Some minutes, with every combination of filters. */
const small: readonly Filters[] = [
  ['any', 'any'],
  ['any', 'active'],
  ['any', 'inactive'],
  ['started', 'any'],
  ['started', 'active'],
  ['started', 'inactive'],
  ['completed', 'any'],
  ['completed', 'inactive'],
  // none, by their meaning
  ['completed', 'active'],
]

/** One in four is packed: those at an hour that divides so. */
const compressionAt = (fromHour: number) => (fromHour % 4 === 2 ? 'gzip' : 'none')

function known(fromHour: number, hours: number, [events, state]: Filters, content = true) {
  const time = (hour: number) => new Date(day + hour * hourMs).toISOString()
  const body = {
    time_from: time(fromHour),
    time_to: time(fromHour + hours),
    filter_events: events,
    filter_state: state,
    export_content: content,
    format: 'json',
    compression: compressionAt(fromHour),
  } as const
  const what = content ? `${events}/${state}` : `${events}, ids only`
  return { name: `${fromHour}:00 + ${hours.toFixed(2)} h, ${what}, ${body.compression}`, body }
}

const largeRequests: readonly KnownRequest[] = large.flatMap(([events, state, hours, starts]) =>
  starts.map((start) => known(start, hours, [events, state])),
)

const smallRequests: readonly KnownRequest[] = [
  ...small.map((filters, n) => known(2 * n, 0.25, filters)),
  known(5, 1, ['started', 'any']),
  ...(['any', 'started', 'completed'] as const).map((events) =>
    known(0, 24, [events, 'any'], false),
  ),
  // before all of them
  known(-24 * 365, 24, ['any', 'any']),
  known(-24 * 365, 24, ['any', 'any'], false),
]

/** In six requests, four are large: in every order, but never by chance alone. */
const sizes = ['large', 'large', 'large', 'large', 'small', 'small'] as const

/** Gives one request after the other. */
export function createRequests(dice: Dice): () => KnownRequest {
  let next: (typeof sizes)[number][] = []
  return () => {
    if (next.length === 0) next = dice.shuffle(sizes)
    return dice.pick(next.pop() === 'large' ? largeRequests : smallRequests)
  }
}
