import type pg from 'pg'
import type { ReferenceRows, ServiceRow, StateRow, TaskRow } from './reference-rows.ts'

/** All rows of the three tables, in no particular order, as of one snapshot. */
export async function readReferenceTables(pool: pg.Pool): Promise<ReferenceRows> {
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read, read only')
    const services = await client.query<ServiceRow>(selectServices)
    const states = await client.query<StateRow>(selectStates)
    const tasks = await client.query<TaskRow>(selectTasks)
    await client.query('commit')
    return { services: services.rows, states: states.rows, tasks: tasks.rows }
  } finally {
    // the transaction may be open still
    client.release(true)
  }
}

const time = (column: string): string => `
  case
    when isfinite(${column}) then to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    else ${column}::text
  end as ${column}`

const record = `
  service_id, est_duration, disposition, disposition_desc, ${time('started_at')}, started::text,
  ${time('completed_at')}, completed::text, extensions::text`

const selectServices = `
  select service_type, customer_id, contact_key, ${record} from context_services.services`

const selectStates = `
  select state_id, state_type, previous_state_id, ${record} from context_services.states`

const selectTasks = `
  select task_id, task_type, state_id, ${record} from context_services.tasks`
