/**
 * The documents of Context Services as SQL: PostgreSQL assembles the JSON text, and nothing parses
 * it again. Text is put together piece by piece rather than by jsonb_build_object, which would keep the
 * fields that have no value and sort the rest by length. docs/performance.md compares the ways.
 */
import { refuse } from './refusal.ts'

/** A kind of record: its name, its table's alias, and the SQL of the ids that name it, innermost first. */
interface Kind {
  readonly name: string
  readonly alias: string
  readonly idSql: readonly string[]
}

const serviceKind: Kind = { name: 'service', alias: 's', idSql: ['s.service_id'] }
const stateKind: Kind = { name: 'state', alias: 'st', idSql: ['st.state_id', 'st.service_id'] }
const taskKind: Kind = { name: 'task', alias: 't', idSql: ['t.task_id', 't.service_id'] }

const common = [
  'est_duration',
  'duration',
  'disposition',
  'disposition_desc',
  'started',
  'completed',
]
const nestedTasks = ['active_tasks', 'completed_tasks']

/** Field names that an extension never replaces or invents, for each kind (domain.md section 5). */
const reserved = {
  service: [
    ...['service_id', 'service_type', 'customer_id', 'contact_key', ...common],
    ...['active_states', 'completed_states', ...nestedTasks],
  ],
  state: ['state_id', 'state_type', 'previous_state_id', ...common, ...nestedTasks],
  task: ['task_id', 'task_type', ...common],
}

const textArray = (names: readonly string[]) => `array[${names.map((n) => `'${n}'`).join(', ')}]`

/** To the millisecond before it, as in a document. Cheaper than date_trunc, which takes the time apart. */
const truncated = (time: string) => `date_bin('1 millisecond', ${time}, '2000-01-01T00:00:00Z')`

/**
 * `"2014-07-01T12:00:00.123`, in UTC; the `Z"` comes behind. PostgreSQL leaves out trailing zeros, so that a
 * microsecond more makes the milliseconds always be there. A third cheaper than to_char.
 */
const renderedTime = (column: string) =>
  `left(to_json(${truncated(`${column} at time zone interval '0'`)} + interval '1 microsecond')::text, 24)`

/**
 * Whole milliseconds between the two times as they are rendered; may be negative. Double precision
 * is exact here: the years 1 to 9999 are less than 2^53 milliseconds.
 */
const renderedDuration = (alias: string) =>
  `round(date_part('epoch', ${truncated(`${alias}.completed_at`)} - ${truncated(`${alias}.started_at`)}) * 1000)::bigint`

/** `{"timestamp": …, <context>}`; null when the event's time is null. */
function event(alias: string, name: 'started' | 'completed'): string {
  // the time comes from the column: a context that brings one of its own must not replace it
  const column = `${alias}.${name}`
  const own = `case when ${column} ? 'timestamp' then ${column} - 'timestamp' else ${column} end`
  const context = `jsonb_strip_nulls(${own})::text`
  return `'{"timestamp": ' || ${renderedTime(`${column}_at`)} || ${rest(context, 'Z"')}`
}

/** What follows in an object after `lead`: the members of another one, if any, and the closing brace. */
const rest = (objectText: string, lead = '') =>
  `coalesce('${lead}, ' || right(nullif(${objectText}, '{}'), -1), '${lead}}')`

/** `, "name": value`; nothing when the value is null. */
const field = (name: string, json: string) => `coalesce(', "${name}": ' || ${json}, '')`
const textField = (alias: string, name: string) => field(name, `to_json(${alias}.${name})::text`)
const numberField = (alias: string, name: string) => field(name, `${alias}.${name}::text`)
const arrayField = (name: string, elements: string) =>
  `', "${name}": [' || coalesce(${elements}, '') || ']'`

/** The extensions as the rest of the document, including its closing brace. To take names out copies them: mostly in vain. */
function extensions(alias: string, names: readonly string[]): string {
  const [all, hidden] = [`${alias}.extensions`, textArray(names)]
  return rest(`(case when ${all} ?| ${hidden} then ${all} - ${hidden} else ${all} end)::text`)
}

/** Wraps a document so that a value which JSON cannot show truthfully fails the export instead. */
function guarded({ name, alias, idSql }: Kind, document: string): string {
  const cases: readonly (readonly [bad: string, problem: string])[] = [
    [`${idSql[0] ?? ''} is null`, 'it has no id'],
    [`${alias}.started_at is null`, 'it has no started_at'],
    ...['started', 'completed'].map(
      (event) =>
        [
          `${alias}.${event}_at not between '0001-01-01T00:00:00Z' and '9999-12-31T23:59:59.999999Z'`,
          `its ${event}_at is infinite or outside the years 1 to 9999`,
        ] as const,
    ),
    ...['started', 'completed', 'extensions'].map(
      (column) =>
        [
          `jsonb_typeof(${alias}.${column}) <> 'object'`,
          `its column ${column} does not hold a JSON object`,
        ] as const,
    ),
  ]
  const whens = cases.map(([bad, problem]) => `when ${bad} then ${refuse(name, idSql, problem)}`)
  return `case ${whens.join('\n      ')}\n    else ${document} end`
}

const commonFields = (alias: string) => [
  numberField(alias, 'est_duration'),
  field('duration', `${renderedDuration(alias)}::text`),
  textField(alias, 'disposition'),
  textField(alias, 'disposition_desc'),
  field('started', event(alias, 'started')),
  field('completed', event(alias, 'completed')),
]

/** None of the parts may be null. By concat(), which looks up how to print each of them, a document is a fifth dearer. */
const joined = (parts: readonly string[]) => parts.join('\n      || ')

const taskDocument = guarded(
  taskKind,
  joined([
    `'{"task_id": ' || to_json(t.task_id)::text`,
    textField('t', 'task_type'),
    ...commonFields('t'),
    extensions('t', reserved.task),
  ]),
)

/** The documents of a kind, active and completed apart; `${alias}` is to yield them in their order. */
const lists = (alias: string) =>
  ['active', 'completed']
    .map((name) => {
      const condition = `${alias}.completed_at is ${name === 'active' ? 'null' : 'not null'}`
      return `string_agg(${alias}.document, ', ') filter (where ${condition}) as ${name}`
    })
    .join(',\n      ')

/** By start, then by id as bytes. One sort of the rows is cheaper than one in each aggregate. */
const ordered = (alias: string, id: string) =>
  `order by ${alias}.started_at, ${alias}.${id} collate "C"`

/** Tasks of one owner, active and completed apart. `where` names the owner. */
const tasksOf = (where: string) => `
    select ${lists('task')}
    from (
      select t.completed_at, ${taskDocument} as document
      from context_services.tasks t
      where ${where}
      ${ordered('t', 'task_id')}
    ) task`

const stateDocument = guarded(
  stateKind,
  joined([
    `'{"state_id": ' || to_json(st.state_id)::text`,
    textField('st', 'state_type'),
    textField('st', 'previous_state_id'),
    ...commonFields('st'),
    arrayField('active_tasks', 'tasks.active'),
    arrayField('completed_tasks', 'tasks.completed'),
    extensions('st', reserved.state),
  ]),
)

const statesOfService = `
    select ${lists('state')}
    from (
      select st.completed_at, ${stateDocument} as document
      from context_services.states st
      cross join lateral (${tasksOf('t.service_id = st.service_id and t.state_id = st.state_id')}) tasks
      where st.service_id = s.service_id
      ${ordered('st', 'state_id')}
    ) state`

/** A task whose state is unknown to its service hangs on the service. */
const tasksOfService = tasksOf(
  `t.service_id = s.service_id and (t.state_id is null or not exists (
        select from context_services.states known
        where known.service_id = t.service_id and known.state_id = t.state_id))`,
)

/** The whole service as one JSON text; needs `serviceDetails` in the from clause. */
export const serviceDocument = guarded(
  serviceKind,
  joined([
    `'{"service_id": ' || to_json(s.service_id)::text`,
    textField('s', 'service_type'),
    textField('s', 'customer_id'),
    textField('s', 'contact_key'),
    ...commonFields('s'),
    arrayField('active_states', 'states.active'),
    arrayField('completed_states', 'states.completed'),
    arrayField('active_tasks', 'tasks.active'),
    arrayField('completed_tasks', 'tasks.completed'),
    extensions('s', reserved.service),
  ]),
)

/** Joins every service `s` with its states and tasks, already rendered. */
export const serviceDetails = `
  cross join lateral (${statesOfService}) states
  cross join lateral (${tasksOfService}) tasks`
