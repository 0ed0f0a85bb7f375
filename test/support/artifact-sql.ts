/**
 * The whole artifact as one SQL statement, written from domain.md without a look at the product's
 * own: objects are put together key by key from rows instead of by concatenation, arrays by
 * sub-selects, and the selection by one condition instead of two passes.
 */
export interface ArtifactQuery {
  readonly from: string
  readonly to: string
  readonly events: string
  readonly state: string
  readonly content: boolean
}

type Field = readonly [name: string, jsonText: string]

const shared = ['est_duration', 'duration', 'disposition', 'disposition_desc']
const events = ['started', 'completed']
const taskArrays = ['active_tasks', 'completed_tasks']
const stateArrays = ['active_states', 'completed_states']
const keys = {
  service: ['service_id', 'service_type', 'customer_id', 'contact_key'],
  state: ['state_id', 'state_type', 'previous_state_id'],
  task: ['task_id', 'task_type'],
}

/** `{…}` of rows (n, key, text of value): those given, without those that are null, then `more`. */
const object = (fields: readonly Field[], more: string) => `
  (select '{' || string_agg(to_json(k)::text || ': ' || v, ', ' order by n) || '}' from (
    values ${fields.map(([name, text], n) => `(${n}::bigint, '${name}', ${text})`).join(', ')}
    union all ${more}) as f (n, k, v) where v is not null)`

const members = (jsonb: string, except: readonly string[]) => `
  select 1000 + ordinality, key, value::text from jsonb_each(${jsonb}) with ordinality
  where key <> all (array[${except.map((name) => `'${name}'`).join(', ')}])`

const time = (column: string) =>
  `to_char(date_trunc('milliseconds', ${column} at time zone 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

const event = (t: string, name: string) =>
  `case when ${t}.${name}_at is not null then ${object(
    [['timestamp', `to_jsonb(${time(`${t}.${name}_at`)})::text`]],
    members(`jsonb_strip_nulls(${t}.${name})`, ['timestamp']),
  )} end`

const duration = (t: string) =>
  `(extract(epoch from (${time(`${t}.completed_at`)})::timestamp - (${time(`${t}.started_at`)})::timestamp)
    * 1000)::bigint::text`

/** A document of one kind, of the row `t`. */
function document(kind: keyof typeof keys, t: string, arrays: readonly Field[]): string {
  const plain = [...keys[kind], 'est_duration'].map((k): Field => [k, `to_jsonb(${t}.${k})::text`])
  const fields: Field[] = [
    ...plain,
    ['duration', duration(t)],
    ['disposition', `to_jsonb(${t}.disposition)::text`],
    ['disposition_desc', `to_jsonb(${t}.disposition_desc)::text`],
    ...events.map((name): Field => [name, event(t, name)]),
    ...arrays,
  ]
  const reserved = [...keys[kind], ...shared, ...events, ...arrays.map(([name]) => name)]
  return object(fields, members(`${t}.extensions`, reserved))
}

const array = (from: string, doc: string, t: string, id: string, where: string) =>
  `(select '[' || coalesce(string_agg(${doc}, ', ' order by ${t}.started_at, ${t}.${id} collate "C"), '') || ']'
    from context_services.${from} ${t} where ${where})`

const byState = (t: string) => [`${t}.completed_at is null`, `${t}.completed_at is not null`]

const tasks = (owner: string) =>
  byState('t').map((which, i): Field => [
    taskArrays[i]!,
    array('tasks', document('task', 't', []), 't', 'task_id', `${owner} and ${which}`),
  ])

const stateDocument = document(
  'state',
  'st',
  tasks('t.service_id = st.service_id and t.state_id = st.state_id'),
)

const states = byState('st').map((which, i): Field => [
  stateArrays[i]!,
  array('states', stateDocument, 'st', 'state_id', `st.service_id = s.service_id and ${which}`),
])

const straight = `t.service_id = s.service_id and (t.service_id, t.state_id) not in
  (select k.service_id, k.state_id from context_services.states k where k.service_id = s.service_id)
  is not false`

export function artifactSql({ from, to, events: which, state, content }: ArtifactQuery): string {
  const inRange = (column: string) => `(s.${column} >= '${from}' and s.${column} < '${to}')`
  const [started, completed] = [inRange('started_at'), inRange('completed_at')]
  const conditions = { any: `(${started} or ${completed})`, started, completed }
  const stateOf = {
    any: 'true',
    active: 's.completed_at is null',
    inactive: 's.completed_at is not null',
  }
  const first = { any: started, started: 'true', completed: 'false' }[which]!
  const element = content
    ? document('service', 's', [...states, ...tasks(straight)])
    : 'to_jsonb(s.service_id)::text'
  return `select '[' || coalesce(string_agg(${element}, E',\\n' order by
      case when ${first} then 0 else 1 end,
      case when ${first} then s.started_at else s.completed_at end, s.service_id collate "C"), '') || ']'
    from context_services.services s
    where ${conditions[which as 'any']} and ${stateOf[state as 'any']}`
}
