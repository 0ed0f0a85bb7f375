/**
 * Rows of the reference tables as plain text: times in UTC with microseconds, such as
 * `2014-07-22T12:00:00.123456Z` (or `infinity`), jsonb as JSON text, so that SQL's null and JSON's
 * differ. Numbers in the JSON must not exceed 2^53.
 */
interface RecordRow {
  readonly service_id: string
  readonly est_duration: number | null
  readonly disposition: string | null
  readonly disposition_desc: string | null
  readonly started_at: string
  readonly started: string
  readonly completed_at: string | null
  readonly completed: string | null
  readonly extensions: string
}

export interface ServiceRow extends RecordRow {
  readonly service_type: string
  readonly customer_id: string | null
  readonly contact_key: string | null
}

export interface StateRow extends RecordRow {
  readonly state_id: string
  readonly state_type: string
  readonly previous_state_id: string | null
}

export interface TaskRow extends RecordRow {
  readonly task_id: string
  readonly task_type: string
  readonly state_id: string | null
}

export interface ReferenceRows {
  readonly services: readonly ServiceRow[]
  readonly states: readonly StateRow[]
  readonly tasks: readonly TaskRow[]
}

const record: RecordRow = {
  service_id: 'S',
  est_duration: null,
  disposition: null,
  disposition_desc: null,
  started_at: '2014-07-22T12:00:00.000000Z',
  started: '{}',
  completed_at: null,
  completed: null,
  extensions: '{}',
}

/** The plainest service there is: S, open since noon. */
export const buildService = (fields: Partial<ServiceRow> = {}): ServiceRow => ({
  ...record,
  service_type: '100',
  customer_id: null,
  contact_key: null,
  ...fields,
})

/** An open state of S. */
export const buildState = (state_id: string, fields: Partial<StateRow> = {}): StateRow => ({
  ...record,
  state_id,
  state_type: '1',
  previous_state_id: null,
  ...fields,
})

/** An open task of S, straight on the service. */
export const buildTask = (task_id: string, fields: Partial<TaskRow> = {}): TaskRow => ({
  ...record,
  task_id,
  task_type: 'call',
  state_id: null,
  ...fields,
})
