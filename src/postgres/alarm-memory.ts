import type { AlarmMemory } from '../archive/ports.ts'
import type { Database } from './pool.ts'

interface AlarmRow {
  readonly since: Date
  readonly logged_at: Date
  readonly message_id: string
  readonly told_at: Date | null
}

/** What workers remember of the alarm of their archives, in schema longhaul of the control database. */
export const createAlarmMemory = ({ query }: Pick<Database, 'query'>): AlarmMemory => ({
  async get() {
    const { rows } = await query<AlarmRow>('select * from longhaul.archive_alarm')
    const [row] = rows
    if (row === undefined) return undefined
    return {
      since: row.since,
      loggedAt: row.logged_at,
      messageId: row.message_id,
      ...(row.told_at === null ? {} : { toldAt: row.told_at }),
    }
  },

  async put({ since, loggedAt, messageId, toldAt }, instead) {
    const values = [since, loggedAt, messageId, toldAt ?? null]
    const { rowCount } =
      instead === undefined
        ? await query(
            `insert into longhaul.archive_alarm (since, logged_at, message_id, told_at)
             values ($1, $2, $3, $4) on conflict do nothing`,
            values,
          )
        : await query(
            `update longhaul.archive_alarm set since = $1, logged_at = $2, message_id = $3, told_at = $4
             where message_id = $5`,
            [...values, instead.messageId],
          )
    return rowCount === 1
  },

  async clear({ messageId }) {
    const { rowCount } = await query('delete from longhaul.archive_alarm where message_id = $1', [
      messageId,
    ])
    return rowCount === 1
  },
})
