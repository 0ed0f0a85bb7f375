import type { ReferenceRows, ServiceRow, StateRow, TaskRow } from './reference-rows.ts'

export interface ServicesFilter {
  /** The range is `[from, to)`; UTC, such as `2014-07-22T12:00:00.123456Z`. */
  readonly from: string
  readonly to: string
  readonly events: 'any' | 'started' | 'completed'
  readonly state: 'any' | 'active' | 'inactive'
  readonly content: boolean
}

export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

/**
 * What an export of these rows holds, in its order: ids, or documents. Worked out from domain.md,
 * sections 2, 3 and 5, alone: plain and slow, and nothing shared with `src`.
 * @throws TypeError naming the record that no document can show
 */
export function evaluateServices(rows: ReferenceRows, filter: ServicesFilter): readonly Json[] {
  const selected = selectServices(rows.services, filter)
  if (!filter.content) return selected.map((service) => service.service_id)

  const states = groupByService(rows.states)
  const tasks = groupByService(rows.tasks)
  return selected.map((service) =>
    renderService(
      service,
      states.get(service.service_id) ?? [],
      tasks.get(service.service_id) ?? [],
    ),
  )
}

// Section 3: which services, in which order.

function selectServices(
  services: readonly ServiceRow[],
  { from, to, events, state }: ServicesFilter,
): readonly ServiceRow[] {
  const first = withSixDigits(from)
  const end = withSixDigits(to)
  const inRange = (time: string | null): boolean => time !== null && time >= first && time < end

  const started = services
    .filter((service) => inRange(service.started_at))
    .sort(byTimeAndId((service) => [service.started_at, service.service_id]))
  const completed = services
    .filter((service) => inRange(service.completed_at))
    .sort(byTimeAndId((service) => [service.completed_at ?? '', service.service_id]))

  const byEvent = {
    started,
    completed,
    any: [...started, ...completed.filter((service) => !inRange(service.started_at))],
  }
  const byState = {
    any: () => true,
    active: (service: ServiceRow) => service.completed_at === null,
    inactive: (service: ServiceRow) => service.completed_at !== null,
  }
  return byEvent[events].filter(byState[state])
}

function byTimeAndId<Row>(key: (row: Row) => readonly [time: string, id: string]) {
  return (left: Row, right: Row): number => {
    const [leftTime, leftId] = key(left)
    const [rightTime, rightId] = key(right)
    if (leftTime !== rightTime) return leftTime < rightTime ? -1 : 1
    return Buffer.compare(Buffer.from(leftId), Buffer.from(rightId))
  }
}

// Section 5: the documents.

const recordNames = [
  'est_duration',
  'duration',
  'disposition',
  'disposition_desc',
  'started',
  'completed',
]
const taskArrays = ['active_tasks', 'completed_tasks']
const stateArrays = ['active_states', 'completed_states']

/** The field names of each kind, which no extension may use. */
const reserved = {
  service: [
    'service_id',
    'service_type',
    'customer_id',
    'contact_key',
    ...recordNames,
    ...stateArrays,
    ...taskArrays,
  ],
  state: ['state_id', 'state_type', 'previous_state_id', ...recordNames, ...taskArrays],
  task: ['task_id', 'task_type', ...recordNames],
} as const

function renderService(
  service: ServiceRow,
  states: readonly StateRow[],
  tasks: readonly TaskRow[],
): JsonObject {
  const { service_id, service_type, customer_id, contact_key } = service
  const name = `service ${service_id}`
  const stateIds = new Set(states.map((state) => state.state_id))
  const ownTasks = tasks.filter(({ state_id }) => state_id === null || !stateIds.has(state_id))
  const isActive = ({ completed_at }: StateRow): boolean => completed_at === null
  const ordered = [...states].sort(byTimeAndId((state) => [state.started_at, state.state_id]))
  const render = (state: StateRow): JsonObject =>
    renderState(
      state,
      tasks.filter((task) => task.state_id === state.state_id),
    )
  return {
    ...renderExtensions(service, name, reserved.service),
    ...withoutNulls({ service_id, service_type, customer_id, contact_key }),
    ...renderRecord(service, name),
    active_states: ordered.filter(isActive).map(render),
    completed_states: ordered.filter((state) => !isActive(state)).map(render),
    ...renderTasks(ownTasks),
  }
}

function renderState(state: StateRow, tasks: readonly TaskRow[]): JsonObject {
  const { service_id, state_id, state_type, previous_state_id } = state
  const name = `state ${state_id} of service ${service_id}`
  return {
    ...renderExtensions(state, name, reserved.state),
    ...withoutNulls({ state_id, state_type, previous_state_id }),
    ...renderRecord(state, name),
    ...renderTasks(tasks),
  }
}

function renderTasks(tasks: readonly TaskRow[]): JsonObject {
  const ordered = [...tasks].sort(byTimeAndId((task) => [task.started_at, task.task_id]))
  return {
    active_tasks: ordered.filter((task) => task.completed_at === null).map(renderTask),
    completed_tasks: ordered.filter((task) => task.completed_at !== null).map(renderTask),
  }
}

function renderTask(task: TaskRow): JsonObject {
  const { service_id, task_id, task_type } = task
  const name = `task ${task_id} of service ${service_id}`
  return {
    ...renderExtensions(task, name, reserved.task),
    ...withoutNulls({ task_id, task_type }),
    ...renderRecord(task, name),
  }
}

type AnyRow = ServiceRow | StateRow | TaskRow

/** The fields that all three kinds have. */
function renderRecord(row: AnyRow, name: string): JsonObject {
  const { est_duration, disposition, disposition_desc, started_at, completed_at } = row
  const started = renderEvent(started_at, row.started, `started of ${name}`)
  const completed =
    completed_at === null
      ? null
      : renderEvent(completed_at, row.completed ?? '{}', `completed of ${name}`)
  const duration = completed && Date.parse(completed.timestamp) - Date.parse(started.timestamp)
  return withoutNulls({ est_duration, duration, disposition, disposition_desc, started, completed })
}

function renderEvent(
  time: string,
  context: string,
  name: string,
): JsonObject & { timestamp: string } {
  if (!isFinite(time)) throw new TypeError(`${name} is at ${time}`)
  return {
    ...withoutDeepNulls(parseObject(context, name)),
    timestamp: `${time.slice(0, '2014-07-22T12:00:00.123'.length)}Z`,
  }
}

function renderExtensions(row: AnyRow, name: string, names: readonly string[]): JsonObject {
  const extensions = Object.entries(parseObject(row.extensions, `extensions of ${name}`))
  return Object.fromEntries(extensions.filter(([key]) => !names.includes(key)))
}

function parseObject(json: string, name: string): JsonObject {
  const value = JSON.parse(json) as Json
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`${name} is not an object: ${json}`)
  }
  return value as JsonObject
}

const withoutNulls = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))

/** Without the fields that are null at any depth; an element of an array has its place, and stays. */
const withoutDeepNulls = (fields: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(withoutNulls(fields)).map(([key, value]) => [key, withoutNullFields(value)]),
  )

function withoutNullFields(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly Json[]).map(withoutNullFields)
  return withoutDeepNulls(value as JsonObject)
}

const isFinite = (time: string): boolean => !time.includes('infinity')

/** With all six digits of the fraction, as rows have them, times are in the order of their texts. */
function withSixDigits(time: string): string {
  const [seconds = '', fraction = ''] = time.replace('Z', '').split('.')
  return `${seconds}.${fraction.padEnd(6, '0')}Z`
}

function groupByService<Row extends AnyRow>(rows: readonly Row[]): ReadonlyMap<string, Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.service_id)
    if (group === undefined) groups.set(row.service_id, [row])
    else group.push(row)
  }
  return groups
}
