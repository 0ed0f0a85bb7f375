/**
 * SQL that deals ids, times and templates to one chunk of services, with their states and tasks.
 *
 * All about service n follows from n and the seed alone. Chance is `hashint8extended`: hash
 * partitioning relies on it, so it never changes. Times are whole microseconds since `from`, so that
 * no floating point takes part.
 */
import { hugeTemplateCount, templateCount } from './seed-templates.ts'

export const createTemplates = `
  create temporary table seed_templates (
    kind text, number integer, type text, est_duration integer, disposition text,
    disposition_desc text, started jsonb, completed jsonb, extensions jsonb
  )`

/** $1: the templates, a JSON array. */
export const insertTemplates = `
  insert into pg_temp.seed_templates
  select * from json_populate_recordset(null::pg_temp.seed_templates, $1::json)`

export const analyzeTemplates = 'analyze pg_temp.seed_templates'

export const dropTemplates = 'drop table if exists pg_temp.seed_templates'

/** Compiling the statement takes longer than it saves, and a chunk should be sorted in memory. */
export const tuneTransaction = `set local jit = off; set local work_mem = '64MB'`

/** Vacuum marks the new pages all-visible, without which an index-only scan reads the table as well. */
export const tidyTables = `
  vacuum (analyze) context_services.services, context_services.states, context_services.tasks`

/** Every chance is thrown with a die of its own; the order is part of what a seed means. */
const dice = [
  'template',
  'oddId',
  'idPrefix',
  'uuidFront',
  'uuidBack',
  'uuidBlock',
  'time',
  'burst',
  'earlyOrLate',
  'open',
  'lasting',
  'scale',
  'end',
  'strayContext',
  'tenant',
  'group',
  'customer',
  'contact',
  'partNumbers',
  'partPrefix',
  'partTimes',
  'state',
  'stateOpen',
  'task',
  'taskOpen',
  'taskState',
] as const
type Die = (typeof dice)[number]

const throwOf = (die: Die, subject: string): string =>
  `hashint8extended(${subject}, $3::bigint * 64 + ${dice.indexOf(die)})`

/** From 0 up to, but not including, `end`. */
const below = (end: number | string, die: Die, subject = 'n'): string =>
  `((${throwOf(die, subject)} & 9223372036854775807) % ${end})`

const oneIn = (count: number, die: Die, subject = 'n'): string =>
  `${below(count, die, subject)} = 0`

const pickFrom = (list: string, die: Die): string =>
  `(${list})[1 + ${below(`cardinality(${list})`, die)}]`

const day = '86400000000'
const thirtyYears = `(30 * 365 * ${day})`

/** Of sixteen services in a row; each eight of them have 16 states and 16 tasks together. */
const stateCounts = `'{2,0,2,4,2,2,2,2,0,2,4,1,3,2,2,2}'::integer[]`
const taskCounts = `'{2,0,2,4,2,2,2,2,2,0,4,3,1,2,2,2}'::integer[]`

/** One service of so many is huge. */
const hugeEvery = 20_000

/** A version 4 UUID behind a prefix. Neighbours share four digits, and so pages of the indexes. */
const serviceId = `
  case when ${oneIn(50, 'oddId')} then ${pickFrom('$7::text[]', 'idPrefix')} else '361-' end ||
  encode(
    int8send(
      (${throwOf('uuidBlock', 'n / 256')} << 48)
      | (${throwOf('uuidFront', 'n')} & x'0000ffffffff0fff'::bigint)
      | x'4000'::bigint
    ) || int8send(
      (${throwOf('uuidBack', 'n')} & x'3fffffffffffffff'::bigint)
      | x'8000000000000000'::bigint
    ), 'hex')::uuid`

/** One large burst, many small ones at round times, a few long before or after; the rest evenly. */
const start = `
  case
    when ${oneIn(100, 'burst')} then $5::bigint / 2
    when ${oneIn(15, 'burst')} then ${below('$5::bigint', 'time')} / $6::bigint * $6::bigint
    when ${oneIn(100, 'earlyOrLate')} then -${below(`(60 * ${day})`, 'time')}
    when ${oneIn(199, 'earlyOrLate')} then ${thirtyYears} + ${below('$5::bigint', 'time')}
    else ${below('$5::bigint', 'time')}
  end`

/** How long it takes, be it ever completed: from minutes to twelve days, short more often than long. */
const lasting = `${below('(1::bigint << 40)', 'lasting')} >> ${below(13, 'scale')}::integer`

/** A third is open. Some end in a nightly sweep, before their start, at once, or in the far future. */
const end = `
  case
    when ${below(3, 'open')} = 0 then null
    when ${oneIn(60, 'end')} then start - lasting
    when ${oneIn(101, 'end')} then start
    when ${oneIn(211, 'end')} then start + lasting + ${thirtyYears}
    when ${oneIn(17, 'end')} then ((start + lasting) / $6::bigint + 1) * $6::bigint
    else start + lasting
  end`

/** The services of a chunk, in the order of their index, and what their states and tasks go by. */
const chunk = `
  select *, ${end} as "end",
    (${stateCounts})[1 + (n - 1) % 16] as states,
    (${taskCounts})[1 + (n - 1) % 16] as tasks,
    -- "10" comes before "8"
    case when ${oneIn(15, 'partNumbers')} then 8 else 0 end as first_part,
    case when ${oneIn(50, 'partPrefix')} then ${pickFrom('$8::text[]', 'partPrefix')} else '' end as part_prefix,
    -- all states and tasks of some services start together, those of others long before the service
    case when ${oneIn(30, 'partTimes')} then 0 else lasting end as parts_lasting,
    case when ${oneIn(61, 'partTimes')} then start - 90 * ${day} else start end as parts_start
  from (
    select n, ${serviceId} as service_id, ${start} as start, ${lasting} as lasting
    from generate_series($1::bigint, $2::bigint) as n
    offset 0 -- computes each of them once
  ) as services
  order by service_id collate "C"`

const instant = (microseconds: string): string =>
  `$4::timestamptz + (${microseconds}) * interval '1 microsecond'`

const insertServices = (onConflict: string): string => `
  insert into context_services.services (
    service_id, tenant_id, group_id, service_type, customer_id, contact_key,
    est_duration, disposition, disposition_desc,
    started_at, started, completed_at, completed, extensions
  )
  select service_id,
    case when ${oneIn(40, 'tenant')} then 'tenant-2' else 'default' end,
    case when ${oneIn(10, 'group')} then 'group-' || ${below(7, 'tenant')} end,
    type,
    case when ${oneIn(5, 'customer')} then null else 'customer-' || ${below(1_000_000, 'customer')} end,
    case when ${oneIn(3, 'contact')} then null else '+33' || ${below(1_000_000_000, 'contact')} end,
    est_duration,
    case when "end" is not null then disposition end,
    case when "end" is not null then disposition_desc end,
    ${instant('start')}, started,
    -- a context without a time is not a completion
    ${instant('"end"')}, case when "end" is not null or ${oneIn(200, 'strayContext')} then completed end,
    extensions
  from chunk
  join pg_temp.seed_templates on kind = 'service' and number = case
    when n % ${hugeEvery} = ${hugeEvery / 2} then ${templateCount} + n / ${hugeEvery} % ${hugeTemplateCount}
    else ${below(templateCount, 'template')}
  end
  ${onConflict}
  returning 1`

/** A service's states follow one another; the last is open as long as the service, with exceptions. */
const insertStates = (onConflict: string): string => `
  insert into context_services.states (
    service_id, state_id, state_type, previous_state_id, est_duration, disposition, disposition_desc,
    started_at, started, completed_at, completed, extensions
  )
  select service_id, part_prefix || (first_part + k), type,
    case when k > 0 then part_prefix || (first_part + k - 1) end,
    est_duration,
    case when not open then disposition end,
    case when not open then disposition_desc end,
    ${instant('parts_start + parts_lasting * k / states')}, started,
    case when not open then ${instant('parts_start + lasting * (k + 1) / states')} end,
    case when not open then completed end,
    extensions
  from chunk
  join generate_series(0, 3) as k on k < states
  cross join lateral (
    select ("end" is null and k = states - 1) <> (${oneIn(16, 'stateOpen', 'n * 4 + k')}) as open
  ) as state
  join pg_temp.seed_templates on kind = 'state' and number = ${below(templateCount, 'state', 'n * 4 + k')}
  ${onConflict}
  returning 1`

/** A task hangs on a state of its service, straight on the service, or on a state that does not exist. */
const insertTasks = (onConflict: string): string => `
  insert into context_services.tasks (
    service_id, task_id, state_id, task_type, est_duration, disposition, disposition_desc,
    started_at, started, completed_at, completed, extensions
  )
  select service_id, part_prefix || (first_part + k),
    case
      when ${oneIn(4, 'taskState', 'n * 4 + k')} then null
      when ${oneIn(15, 'taskState', 'n * 4 + k')} then 'gone'
      else part_prefix || (first_part + k % greatest(states, 1))
    end,
    type, est_duration,
    case when not open then disposition end,
    case when not open then disposition_desc end,
    ${instant('parts_start + parts_lasting * k / tasks')}, started,
    case when not open then ${instant('parts_start + lasting * (k + 1) / tasks')} end,
    case when not open then completed end,
    extensions
  from chunk
  join generate_series(0, 3) as k on k < tasks
  cross join lateral (
    select ("end" is null and k = tasks - 1) <> (${oneIn(16, 'taskOpen', 'n * 4 + k')}) as open
  ) as task
  join pg_temp.seed_templates on kind = 'task' and number = ${below(templateCount, 'task', 'n * 4 + k')}
  ${onConflict}
  returning 1`

/**
 * $1, $2: first and last number; $3: seed; $4: from; $5: length of the span and $6: distance of round
 * times in it, in microseconds; $7, $8: prefixes of service ids, and of state and task ids.
 */
const insertChunk = (onConflict: string): string => `
  with chunk as materialized (${chunk}),
    new_services as (${insertServices(onConflict)}),
    new_states as (${insertStates(onConflict)}),
    new_tasks as (${insertTasks(onConflict)})
  select
    (select count(*)::integer from new_services) as services,
    (select count(*)::integer from new_states) as states,
    (select count(*)::integer from new_tasks) as tasks`

/** Fails with a unique violation where a row of the chunk exists. */
export const insertNewChunk = insertChunk('')

/** Leaves rows that exist alone, at half again the cost of `insertNewChunk`. */
export const insertMissingOfChunk = insertChunk('on conflict do nothing')
