import type { LedgerWindow } from '../archive/model.ts'
import type { ArchiveLedger, WindowKey } from '../archive/ports.ts'
import { NotFoundError, StateError, type ErrorFacts } from '../errors.ts'
import type { Database } from './pool.ts'

interface WindowRow {
  readonly archive: string
  readonly from_at: Date
  readonly to_at: Date
  readonly generation: number
  readonly name: string
  readonly date: string
  readonly request: LedgerWindow['request']
  readonly state: LedgerWindow['state']
  readonly tries: number
  readonly export_id: string | null
  readonly error: ErrorFacts | null
  readonly retry_at: Date | null
  readonly archived_at: Date | null
}

const windowFromRow = (row: WindowRow): LedgerWindow => ({
  archive: row.archive,
  name: row.name,
  date: row.date,
  from: row.from_at,
  to: row.to_at,
  generation: row.generation,
  request: row.request,
  state: row.state,
  tries: row.tries,
  ...(row.export_id === null ? {} : { exportId: row.export_id }),
  ...(row.error === null ? {} : { error: row.error }),
  ...(row.retry_at === null ? {} : { retryAt: row.retry_at }),
  ...(row.archived_at === null ? {} : { archivedAt: row.archived_at }),
})

/** The ledger of archives in schema longhaul of the control database. */
export function createArchiveLedger({ query }: Pick<Database, 'query'>): ArchiveLedger {
  const windows = async (text: string, values: readonly unknown[]) =>
    (await query<WindowRow>(text, values)).rows.map(windowFromRow)

  /** One guarded update of one window; whether the guard held. */
  async function update(
    { archive, from, generation }: WindowKey,
    set: string,
    where: string,
    values: readonly unknown[],
  ): Promise<boolean> {
    const { rowCount } = await query(
      `update longhaul.archive_windows set ${set}
       where archive = $1 and from_at = $2 and generation = $3 and ${where}`,
      [archive, from, generation, ...values],
    )
    return rowCount === 1
  }

  return {
    async open(archive, { unit, timeZone }, now) {
      await query(
        `insert into longhaul.archives (name, unit, time_zone, entered_at) values ($1, $2, $3, $4)
         on conflict do nothing`,
        [archive, unit, timeZone, now],
      )
      const { rows } = await query<{ unit: string; time_zone: string; entered_at: Date }>(
        'select unit, time_zone, entered_at from longhaul.archives where name = $1',
        [archive],
      )
      for (const found of rows) {
        if (found.unit === unit && found.time_zone === timeZone) return found.entered_at
        const [kept, wanted] = [`${found.unit} in ${found.time_zone}`, `${unit} in ${timeZone}`]
        throw new StateError(
          'ARCHIVE_CALENDAR',
          `The archive ${archive} is kept by the ${kept}, and cannot go on by the ${wanted}: windows would overlap, or leave gaps.`,
          found.unit,
          { hint: 'Set window and time zone back, or give the archive another name.' },
        )
      }
      throw new NotFoundError(archive)
    },

    async coveredUntil(archive, start) {
      const { rows } = await query<{ until: Date | null }>(
        `select min(w.to_at) as until from longhaul.archive_windows w
         where w.archive = $1 and w.from_at >= $2
           and exists (select from longhaul.archive_windows f where f.archive = $1 and f.from_at = $2)
           and not exists (
             select from longhaul.archive_windows n where n.archive = $1 and n.from_at = w.to_at)`,
        [archive, start],
      )
      return rows[0]?.until ?? start
    },

    async plan({ archive, from, generation }, { name, date, to }, request) {
      const { rowCount } = await query(
        `insert into longhaul.archive_windows (archive, from_at, to_at, generation, name, date, request)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
        [archive, from, to, generation, name, date, request],
      )
      return rowCount === 1
    },

    async get({ archive, from, generation }) {
      const [found] = await windows(
        `select * from longhaul.archive_windows
         where archive = $1 and from_at = $2 and generation = $3`,
        [archive, from, generation],
      )
      return found
    },

    listOpen: (archive) =>
      windows(
        `select * from longhaul.archive_windows
         where archive = $1 and state in ('planned', 'running') order by from_at, generation`,
        [archive],
      ),

    async retryFailed(archive, now) {
      const { rowCount } = await query(
        `update longhaul.archive_windows set state = 'planned', retry_at = null
         where archive = $1 and state = 'failed' and retry_at <= $2`,
        [archive, now],
      )
      return rowCount ?? 0
    },

    begin: (key, exportId) =>
      update(key, `state = 'running', export_id = $4, tries = tries + 1`, `state = 'planned'`, [
        exportId,
      ]),

    finish: (key, exportId, at) =>
      update(
        key,
        `state = 'archived', archived_at = $5, error = null`,
        `state = 'running' and export_id = $4`,
        [exportId, at],
      ),

    fail: (key, exportId, { error, retryAt }) =>
      update(
        key,
        `state = 'failed', error = $5, retry_at = $6`,
        `state = 'running' and export_id = $4`,
        [exportId, error, retryAt],
      ),
  }
}
