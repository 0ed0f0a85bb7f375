import type {
  Dataset,
  DatasetQuery,
  PackOptions,
  Place,
  Segment,
  Segments,
  Selection,
  Span,
  Statement,
} from './dataset.ts'
import { EncodeError } from '../errors.ts'
import { createParameters, type Parameters } from './parameters.ts'
import { parseRefusal, refuse } from './refusal.ts'
import { serviceIds, serviceTables } from './services-columns.ts'
import { serviceIndexes } from './services-indexes.ts'
import { serviceDetails, serviceDocument } from './services-document.ts'

/** `[from, to)`: the one place that decides which end of a range belongs to it. */
const inRange = (column: string, from: string, to: string) =>
  `${column} >= ${from} and ${column} < ${to}`

/** Services of which one event falls in a range, in the order of that event's index. */
interface Pass {
  readonly column: string
  /** What else is asked of them, given the range of the whole export. */
  readonly condition: (range: Span, given: Parameters) => string
  readonly mayBeSorted: boolean
}

const byStart: Pass = { column: 's.started_at', condition: () => '', mayBeSorted: false }
const byCompletion: Pass = { column: 's.completed_at', condition: () => '', mayBeSorted: false }
const byCompletionOnly: Pass = {
  column: 's.completed_at',
  // a view may present a service that never started: it is not in the range, rather than unknown
  condition: ({ from, to }, given) =>
    ` and (s.started_at < ${given.time(from)} or s.started_at >= ${given.time(to)} or s.started_at is null)`,
  // few started outside of a long range: the index of starts finds them at once
  mayBeSorted: true,
}

/** Two passes for `any`, so that each can follow an index, and a service comes once. */
const passes = {
  started: [byStart],
  completed: [byCompletion],
  any: [byStart, byCompletionOnly],
} as const satisfies Record<Selection['events'], readonly Pass[]>

const stateConditions = {
  any: '',
  active: ' and s.completed_at is null',
  inactive: ' and s.completed_at is not null',
} as const satisfies Record<Selection['state'], string>

/** The statements that select the rows of one pass. */
function createSelect(pass: Pass, { from, to, state }: Selection) {
  const { column, condition, mayBeSorted } = pass
  const here = `(${column}, s.service_id collate "C")`
  const order = `order by ${column}, s.service_id collate "C"`

  /** The rows between two times, each a SQL expression. */
  const between = (expression: string, tables: string, ends: Span, given: Parameters) =>
    `select ${expression}
from context_services.services s${tables}
where ${inRange(column, ends.from, ends.to)}${condition({ from, to }, given)}${stateConditions[state]}`

  const place = ({ at, id }: Place, given: Parameters) =>
    `(${given.time(at)}, ${given.text(id)} collate "C")`

  /** The rows of a segment, without their order. */
  function inSegment(expression: string, tables: string, segment: Segment, given: Parameters) {
    const ends = { from: given.time(segment.from), to: given.time(segment.to) }
    const { after, upTo } = segment
    return [
      between(expression, tables, ends, given),
      after === undefined ? '' : ` and ${here} > ${place(after, given)}`,
      upTo === undefined ? '' : ` and ${here} <= ${place(upTo, given)}`,
    ].join('')
  }

  function ordered(expression: string, tables: string, segment: Segment): Statement {
    const given = createParameters()
    const text = `${inSegment(expression, tables, segment, given)}\n${order}`
    return { text, values: given.values }
  }
  return { mayBeSorted, order, between, inSegment, ordered }
}
type Select = ReturnType<typeof createSelect>

const ids = {
  element: `coalesce(to_json(s.service_id)::text, ${refuse('service', ['s.service_id'], 'it has no id')})`,
  facts: { rowBytes: 64, tables: serviceIds, refusal: parseRefusal },
}

const idsOf = (select: Select, segment: Segment): DatasetQuery => ({
  ...select.ordered(`${ids.element} as element`, '', segment),
  ...ids.facts,
  mayBeSorted: select.mayBeSorted,
})

/** To number the rows by a window function, and to group them by that, takes twice as long. */
function packedIdsOf(
  select: Select,
  slices: readonly Span[],
  { separator, limit }: PackOptions,
): DatasetQuery {
  const given = createParameters()
  const starts = given.times(slices.map(({ from }) => from))
  const ends = given.times(slices.map(({ to }) => to))
  const span = { from: 'slice.from_time', to: 'slice.to_time' }
  const rows = select.between(`${ids.element} as element`, '', span, given)
  // no sort: it would hold back the first row until the last one is there
  const text = `select pack.elements, pack.count
from unnest(${starts}, ${ends}) as slice (from_time, to_time)
cross join lateral (
  select string_agg(element, ${given.text(separator)}) as elements, count(*)::text as count
  from (${rows}
    ${select.order}
    limit ${limit}) as rows) as pack`
  return { text, values: given.values, ...ids.facts, mayBeSorted: select.mayBeSorted }
}

function documentsOf(select: Select, segment: Segment): DatasetQuery {
  const element = `${serviceDocument} as element`
  const given = createParameters()
  const among = `${select.inSegment(element, serviceDetails, segment, given)} and s.service_id = any ($${given.values.length + 1}::text[])`
  return {
    ...select.ordered(element, serviceDetails, segment),
    rowBytes: 4096,
    tables: serviceTables,
    refusal: parseRefusal,
    mayBeSorted: select.mayBeSorted,
    search: {
      ids: select.ordered('s.service_id', '', segment).text,
      among,
      failure: refuseService,
    },
  }
}

function query(pass: Pass, selection: Selection): DatasetQuery {
  const select = createSelect(pass, selection)
  const range = { from: selection.from, to: selection.to }
  const of = selection.content ? documentsOf : idsOf
  const segments: Segments = {
    range,
    of: (segment) => of(select, segment),
    places: (segment) =>
      select.ordered(`${pass.column}::text as at, s.service_id::text as id`, '', segment),
    ...(selection.content
      ? {}
      : { packed: (slices, options) => packedIdsOf(select, slices, options) }),
  }
  return { ...of(select, range), segments }
}

const refuseService = (id: string, problem: string) =>
  new EncodeError(`The service ${JSON.stringify(id)} cannot be exported: ${problem}`, {
    hint: 'Correct the service, or the state or task of it, in the source (or in the view that presents it), and request the export again.',
  })

/** Context Services: services with their states and tasks, or only their ids. */
export const services: Dataset = {
  name: 'services',
  schemaVersion: 1,
  tables: serviceTables,
  indexes: serviceIndexes,
  event: { table: 'context_services.services', column: 'started_at' },
  identify: (element) =>
    typeof element === 'string'
      ? element
      : String((element as { readonly service_id?: unknown }).service_id),
  queries: (selection) => passes[selection.events].map((pass) => query(pass, selection)),
}
