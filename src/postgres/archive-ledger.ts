import type { ArchiveSchedule, EnteredArchive } from '../archive/model.ts'
import type { ArchiveLedger, WindowKey } from '../archive/ports.ts'
import { SpecError, StateError } from '../errors.ts'
import { createArchiveSurvey } from './archive-survey.ts'
import type { Database, Query } from './pool.ts'
import { summarizeWindows } from './summarize-windows.ts'
import { windowFromRow, type WindowRow } from './window-row.ts'

interface ArchiveRow {
  readonly name: string
  readonly unit: EnteredArchive['calendar']['unit']
  readonly time_zone: string
  readonly entered_at: Date
  readonly start_at: Date | null
  readonly settle_ms: string
  readonly confirmed_keep: string | null
}

const archiveFromRow = (row: ArchiveRow): EnteredArchive => ({
  name: row.name,
  calendar: { unit: row.unit, timeZone: row.time_zone },
  start: row.start_at ?? undefined,
  settleMs: Number(row.settle_ms),
  enteredAt: row.entered_at,
  ...(row.confirmed_keep === null ? {} : { confirmedKeep: row.confirmed_keep }),
})

/** Of a row `w`: what failed beside an archived generation is a repair, and nothing that is missing. */
const noneArchived = `not exists (select from longhaul.archive_windows o
  where o.archive = w.archive and o.from_at = w.from_at and o.state = 'archived')`

/** What the ledger has, where that goes by the same calendar. @throws StateError */
function assertCalendar(
  entered: EnteredArchive,
  { name, calendar: { unit, timeZone } }: ArchiveSchedule,
): EnteredArchive {
  const kept = entered.calendar
  if (kept.unit === unit && kept.timeZone === timeZone) return entered
  throw new StateError(
    'ARCHIVE_CALENDAR',
    `The archive ${name} is kept by the ${kept.unit} in ${kept.timeZone}, and cannot go on by the ${unit} in ${timeZone}: ` +
      'windows would overlap, or leave gaps.',
    kept.unit,
    { hint: 'Set window and time zone back, or give the archive another name.' },
  )
}

/** The ledger of archives in schema longhaul of the control database. */
export function createArchiveLedger({
  query,
  transaction,
}: Pick<Database, 'query' | 'transaction'>): ArchiveLedger {
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

  async function find(name: string): Promise<EnteredArchive | undefined> {
    const text = 'select * from longhaul.archives where name = $1'
    return (await query<ArchiveRow>(text, [name])).rows.map(archiveFromRow)[0]
  }
  /** Of one that was there a moment ago. @throws SpecError */
  async function get(name: string): Promise<EnteredArchive> {
    const found = await find(name)
    if (found !== undefined) return found
    throw new SpecError('ARCHIVE_UNKNOWN', `The archive ${name} was removed from the ledger.`, {
      hint: 'Run the same again: it is entered anew.',
    })
  }
  /** Undefined: it is there, and was left as it is. */
  async function insert(
    { name, calendar: { unit, timeZone }, start, settleMs }: ArchiveSchedule,
    now: Date,
    onConflict: string,
  ): Promise<EnteredArchive | undefined> {
    const { rows } = await query<ArchiveRow>(
      `insert into longhaul.archives as a (name, unit, time_zone, start_at, settle_ms, entered_at)
       values ($1, $2, $3, $4, $5, $6) on conflict (name) ${onConflict} returning *`,
      [name, unit, timeZone, start ?? null, settleMs, now],
    )
    return rows.map(archiveFromRow)[0]
  }

  return {
    async open(schedule, now) {
      const { name, start, settleMs } = schedule
      const known = await find(name)
      const isKept = known?.settleMs === settleMs && known.start?.getTime() === start?.getTime()
      // each look at the archive opens it: where nothing is new, nothing is written, and no row is locked
      if (known !== undefined && isKept) return assertCalendar(known, schedule)
      const entered = await insert(
        schedule,
        now,
        'do update set start_at = $4, settle_ms = $5 where a.unit = $2 and a.time_zone = $3',
      )
      return entered ?? assertCalendar(await get(name), schedule)
    },

    async enter(schedule, now) {
      const known = (await find(schedule.name)) ?? (await insert(schedule, now, 'do nothing'))
      return assertCalendar(known ?? (await get(schedule.name)), schedule)
    },

    async listArchives() {
      const { rows } = await query<ArchiveRow>('select * from longhaul.archives order by name')
      return rows.map(archiveFromRow)
    },

    listWindows: (archive, { from, to }) =>
      windows(
        `select * from longhaul.archive_windows
         where archive = $1 and from_at >= $2 and from_at < $3 order by from_at, generation`,
        [archive, from, to],
      ),

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
      const insertWith = async (ask: Query) => {
        const { rowCount } = await ask(
          `insert into longhaul.archive_windows (archive, from_at, to_at, generation, name, date, request)
           select $1, $2, $3, $4, $5, $6, $7 where not exists (
             select from longhaul.archive_windows
             where archive = $1 and from_at = $2 and state = 'deleted')
           on conflict do nothing`,
          [archive, from, to, generation, name, date, request],
        )
        return rowCount === 1
      }
      // what is deleted has a first generation, so that another one is not planned in any case
      if (generation === 1) return insertWith(query)
      return transaction(async (ask) => {
        // a statement does not see what is committed while it waits: whoever deletes holds this row until all of it can be seen
        await ask('select from longhaul.archives where name = $1 for key share', [archive])
        return insertWith(ask)
      })
    },

    async get({ archive, from, generation }) {
      const [found] = await windows(
        `select * from longhaul.archive_windows
         where archive = $1 and from_at = $2 and generation = $3`,
        [archive, from, generation],
      )
      return found
    },

    async summarize(archive, asked) {
      const summary = await summarizeWindows({ query }, archive, asked)
      if (summary.counts.failed === undefined) return { ...summary, failed: [] }
      const failed = await windows(
        `select w.* from longhaul.archive_windows w
         where w.archive = $1 and w.state = 'failed' and w.to_at <= $2
           and not exists (
             select from longhaul.archive_windows o
             where o.archive = $1 and o.from_at = w.from_at
               and (o.state = 'archived' or o.generation > w.generation))
         order by w.from_at limit $3`,
        [archive, asked.overUntil, asked.limit],
      )
      return { ...summary, failed }
    },

    listOpen: (archive) =>
      windows(
        `select * from longhaul.archive_windows
         where archive = $1 and state in ('planned', 'running') order by from_at, generation`,
        [archive],
      ),

    async retryFailed(archive, which) {
      const [where, values] =
        'dueBy' in which
          ? ['retry_at <= $2', [which.dueBy]]
          : [`from_at >= $2 and from_at < $3 and ${noneArchived}`, [which.from, which.to]]
      const { rowCount } = await query(
        `update longhaul.archive_windows w set state = 'planned', retry_at = null
         where archive = $1 and state = 'failed' and ${where}`,
        [archive, ...values],
      )
      return rowCount ?? 0
    },

    retry: (key) => update(key, `state = 'planned', retry_at = null`, `state = 'failed'`, []),

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

    adopt: (key, at) =>
      update(
        key,
        `state = 'archived', archived_at = $4, export_id = null, error = null`,
        `state in ('planned', 'running')`,
        [at],
      ),

    fail: (key, exportId, { error, retryAt }) =>
      update(
        key,
        `state = 'failed', error = $5, retry_at = $6`,
        `case when $4::uuid is null then state = 'planned' else state = 'running' and export_id = $4 end`,
        [exportId ?? null, error, retryAt ?? null],
      ),

    ...createArchiveSurvey({ query }),
  }
}
