import type { ArchiveHold } from '../archive/model.ts'
import type { RetentionLedger } from '../archive/ports.ts'
import type { Database } from './pool.ts'
import { windowFromRow, type WindowRow } from './window-row.ts'

interface HoldRow {
  readonly id: number
  readonly archive: string
  readonly from_at: Date
  readonly to_at: Date | null
  readonly reason: string
  readonly placed_at: Date
}

const holdFromRow = (row: HoldRow): ArchiveHold => ({
  id: row.id,
  archive: row.archive,
  from: row.from_at,
  to: row.to_at ?? undefined,
  reason: row.reason,
  placedAt: row.placed_at,
})

/** Of a window w: a hold overlaps it. */
const isHeld = `exists (
  select from longhaul.archive_holds h
  where h.archive = w.archive and h.released_at is null
    and h.from_at < w.to_at and (h.to_at is null or h.to_at > w.from_at))`

/** What becomes of archived windows, in schema longhaul of the control database. */
export function createRetentionLedger({
  query,
  transaction,
}: Pick<Database, 'query' | 'transaction'>): RetentionLedger {
  const windows = async (text: string, values: readonly unknown[]) =>
    (await query<WindowRow>(text, values)).rows.map(windowFromRow)

  return {
    listKept: (archive) =>
      windows(
        `select * from longhaul.archive_windows
         where archive = $1 and state <> 'deleted' order by from_at, generation`,
        [archive],
      ),

    listArchived: (archive, { after, until, limit }) =>
      windows(
        `select * from longhaul.archive_windows
         where archive = $1 and state <> 'deleted' and from_at in (
           select distinct from_at from longhaul.archive_windows
           where archive = $1 and state = 'archived' and from_at > $2 and to_at <= $3
           order by from_at limit $4)
         order by from_at, generation`,
        [archive, after ?? '-infinity', until, limit],
      ),

    async newestArchived(archive) {
      const [newest] = await windows(
        `select * from longhaul.archive_windows
         where archive = $1 and state = 'archived' order by from_at desc, generation desc limit 1`,
        [archive],
      )
      return newest
    },

    markDeleted: ({ archive, from, generation }, { at, reason }) =>
      transaction(async (ask) => {
        // whoever places a hold refers to this row, and so is either before us, and seen, or waits until we are through
        await ask('select from longhaul.archives where name = $1 for update', [archive])
        const { rowCount } = await ask(
          `update longhaul.archive_windows w
           set state = 'deleted', deleted_at = $4, deleted_reason = $5, retry_at = null
           where archive = $1 and from_at = $2 and state in ('archived', 'failed')
             and not ${isHeld}
             and exists (
               select from longhaul.archive_windows a
               where a.archive = $1 and a.from_at = $2 and a.state = 'archived')
             and not exists (
               select from longhaul.archive_windows o
               where o.archive = $1 and o.from_at = $2
                 and (o.state in ('planned', 'running') or o.generation > $3))`,
          [archive, from, generation, at, reason],
        )
        return (rowCount ?? 0) > 0
      }),

    listUnremoved: (archive) =>
      windows(
        `select * from longhaul.archive_windows w
         where archive = $1 and state = 'deleted' and removed_at is null and not ${isHeld}
         order by from_at, generation`,
        [archive],
      ),

    async markRemoved({ archive, from }, at) {
      await query(
        `update longhaul.archive_windows set removed_at = $3
         where archive = $1 and from_at = $2 and state = 'deleted' and removed_at is null`,
        [archive, from, at],
      )
    },

    async confirmKeep(archive, keep) {
      await query('update longhaul.archives set confirmed_keep = $2 where name = $1', [
        archive,
        keep,
      ])
    },

    async placeHold(hold) {
      const { archive, from, to, reason, placedAt } = hold
      const { rows } = await query<{ id: number }>(
        `insert into longhaul.archive_holds (archive, from_at, to_at, reason, placed_at)
         values ($1, $2, $3, $4, $5) returning id`,
        [archive, from, to ?? null, reason, placedAt],
      )
      return { id: rows[0]?.id ?? 0, archive, from, to, reason, placedAt }
    },

    async listHolds(archive) {
      const { rows } = await query<HoldRow>(
        `select * from longhaul.archive_holds
         where released_at is null and ($1::text is null or archive = $1) order by id`,
        [archive ?? null],
      )
      return rows.map(holdFromRow)
    },

    async releaseHold(id, at) {
      const { rows } = await query<HoldRow>(
        `update longhaul.archive_holds set released_at = $2
         where id = $1 and released_at is null returning *`,
        [id, at],
      )
      return rows.map(holdFromRow)[0]
    },
  }
}
