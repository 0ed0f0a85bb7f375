import { NotFoundError } from '../errors.ts'
import type { ExportRecords } from '../export/ports.ts'
import type { Caller } from './access.ts'

type Visible = Pick<ExportRecords, 'create' | 'get' | 'list' | 'cancel' | 'expire'>

/**
 * The records as a caller sees them: one that may export sees its own. Others' are not there, so that it
 * cannot even learn which ids exist.
 */
export function visibleRecords(records: Visible, { name, role }: Caller): Visible {
  if (role !== 'export' || name === undefined) return records
  const get: Visible['get'] = async (id) => {
    const record = await records.get(id)
    if (record.requestedBy !== name) throw new NotFoundError(id)
    return record
  }
  return {
    create: (draft) => records.create(draft),
    get,
    list: (query) => records.list({ ...query, requestedBy: name }),
    async cancel(id, at) {
      await get(id)
      return records.cancel(id, at)
    },
    async expire(id, at) {
      await get(id)
      return records.expire(id, at)
    },
  }
}
