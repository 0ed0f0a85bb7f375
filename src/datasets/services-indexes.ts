/** The indexes that an export of services follows. The reference schema has them, those of states and tasks as primary keys. */
import type { TableIndex } from './dataset.ts'

const id = { name: 'service_id' }
const idByBytes = { ...id, collation: 'C' } as const

export const serviceIndexes: readonly TableIndex[] = [
  {
    name: 'services_started',
    table: 'context_services.services',
    columns: [{ name: 'started_at' }, idByBytes],
  },
  {
    name: 'services_completed',
    table: 'context_services.services',
    columns: [{ name: 'completed_at' }, idByBytes],
    notNull: 'completed_at',
  },
  // the states and tasks of each service
  { name: 'states_of_service', table: 'context_services.states', columns: [id] },
  { name: 'tasks_of_service', table: 'context_services.tasks', columns: [id] },
]
