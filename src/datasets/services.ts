import type { Dataset, DatasetQuery, Selection } from './dataset.ts'
import { parseRefusal } from './refusal.ts'
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
  where: `${byCompletion.where} and not ${byStart.where}`,
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
  const element = content ? serviceDocument : 'to_json(s.service_id)::text'
  const text = `select ${element} as element
from context_services.services s${content ? serviceDetails : ''}
where ${pass.where}${stateConditions[state]}
order by ${pass.orderBy}, s.service_id collate "C"`
  return { text, values: [from, to], rowBytes: content ? 4096 : 64, refusal: parseRefusal }
}

/** Context Services: services with their states and tasks, or only their ids. */
export const services: Dataset = {
  name: 'services',
  queries: (selection) => passes[selection.events].map((pass) => query(pass, selection)),
}
