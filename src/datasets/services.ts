import type { Dataset, DatasetQuery, Selection } from './dataset.ts'
import { EncodeError } from '../errors.ts'
import { parseRefusal } from './refusal.ts'
import { serviceIds, serviceTables } from './services-columns.ts'
import { serviceDetails, serviceDocument } from './services-document.ts'

/** `[from, to)`: the one place that decides which end of a range belongs to it. */
const inRange = (column: string) => `(${column} >= $1::timestamptz and ${column} < $2::timestamptz)`

/** Services of which one event falls in the range, in the order of that event's index. */
interface Pass {
  readonly where: string
  readonly orderBy: string
}

const byStart: Pass = { where: inRange('s.started_at'), orderBy: 's.started_at' }
const byCompletion: Pass = { where: inRange('s.completed_at'), orderBy: 's.completed_at' }
const byCompletionOnly: Pass = {
  ...byCompletion,
  // a view may present a service that never started: it is not in the range, rather than unknown
  where: `${byCompletion.where} and ${byStart.where} is not true`,
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

function query(pass: Pass, { from, to, state, content }: Selection): DatasetQuery {
  const select = (element: string, more = '') => `select ${element} as element
from context_services.services s${more}
where ${pass.where}${stateConditions[state]}`
  const order = `
order by ${pass.orderBy}, s.service_id collate "C"`
  const values = [from, to]
  if (!content) {
    const text = select('to_json(s.service_id)::text') + order
    return { text, values, rowBytes: 64, tables: serviceIds, refusal: parseRefusal }
  }
  const documents = select(serviceDocument, serviceDetails)
  return {
    text: documents + order,
    values,
    rowBytes: 4096,
    tables: serviceTables,
    refusal: parseRefusal,
    search: {
      ids: select('s.service_id') + order,
      among: `${documents} and s.service_id = any ($3::text[])`,
      failure: refuseService,
    },
  }
}

const refuseService = (id: string, problem: string) =>
  new EncodeError(`The service ${JSON.stringify(id)} cannot be exported: ${problem}`, {
    hint: 'Correct the service, or the state or task of it, in the source (or in the view that presents it), and request the export again.',
  })

/** Context Services: services with their states and tasks, or only their ids. */
export const services: Dataset = {
  name: 'services',
  queries: (selection) => passes[selection.events].map((pass) => query(pass, selection)),
}
