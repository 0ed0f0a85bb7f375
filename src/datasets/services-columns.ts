/** The columns that an export of services reads, as the reference schema has them. */
import type { SourceTable } from './dataset.ts'

const record = {
  service_id: 'text',
  est_duration: 'integer',
  disposition: 'text',
  disposition_desc: 'text',
  started_at: 'timestamp with time zone',
  started: 'jsonb',
  completed_at: 'timestamp with time zone',
  completed: 'jsonb',
  extensions: 'jsonb',
} as const

/** What documents are made of. */
export const serviceTables: readonly SourceTable[] = [
  {
    name: 'context_services.services',
    columns: { ...record, service_type: 'text', customer_id: 'text', contact_key: 'text' },
  },
  {
    name: 'context_services.states',
    columns: { ...record, state_id: 'text', state_type: 'text', previous_state_id: 'text' },
  },
  {
    name: 'context_services.tasks',
    columns: { ...record, task_id: 'text', state_id: 'text', task_type: 'text' },
  },
]

/** What ids alone are selected by. */
export const serviceIds: readonly SourceTable[] = [
  {
    name: 'context_services.services',
    columns: {
      service_id: 'text',
      started_at: 'timestamp with time zone',
      completed_at: 'timestamp with time zone',
    },
  },
]
