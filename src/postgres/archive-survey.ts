import type { ArchiveLedger, WindowSurvey } from '../archive/ports.ts'
import { windowFromRow, type WindowRow } from './window-row.ts'
import type { Database } from './pool.ts'

type ArchiveSurvey = Pick<ArchiveLedger, 'surveyFailed' | 'surveyLate' | 'listGaps'>

/** Any other state says that it was archived once. */
const unarchived = `('planned', 'running', 'failed')`

/** What failed for good does so because an earlier generation, which is archived, stays better. */
const isTriedAgain = `(w.state <> 'failed' or w.retry_at is not null)`

/** What the ledger lacks: counted in the database, as a neglected archive may have tens of thousands of windows. */
export function createArchiveSurvey({ query }: Pick<Database, 'query'>): ArchiveSurvey {
  async function survey(where: string, values: readonly unknown[]): Promise<WindowSurvey> {
    const { rows } = await query<WindowRow & { readonly total: number }>(
      `select w.*, (count(*) over ())::int as total from longhaul.archive_windows w
       where w.archive = $1 and w.state in ${unarchived} and ${where}
       order by w.from_at, w.generation limit $2`,
      values,
    )
    return { count: rows[0]?.total ?? 0, windows: rows.map(windowFromRow) }
  }
  const noneArchived = (besides = '') =>
    `not exists (select from longhaul.archive_windows o where o.archive = w.archive and o.from_at = w.from_at
       and o.state not in ${unarchived} ${besides})`

  return {
    surveyFailed: (archive, limit) =>
      survey(
        `w.error is not null and ${isTriedAgain} and ${noneArchived('and o.generation > w.generation')}`,
        [archive, limit],
      ),

    surveyLate: (archive, { from, to }, limit) =>
      survey(`w.from_at >= $3 and w.to_at <= $4 and ${noneArchived()}`, [archive, limit, from, to]),

    async listGaps(archive, { from, to }, limit) {
      const { rows } = await query<{ readonly gap_from: Date; readonly gap_to: Date }>(
        `with known (from_at, to_at) as (
           select $2::timestamptz, $2::timestamptz
           union
           select from_at, to_at from longhaul.archive_windows
           where archive = $1 and from_at >= $2 and from_at < $3),
         following as (
           select to_at as gap_from, coalesce(lead(from_at) over (order by from_at, to_at), $3) as gap_to
           from known)
         select gap_from, gap_to from following where gap_from < gap_to order by gap_from limit $4`,
        [archive, from, to, limit],
      )
      return rows.map(({ gap_from, gap_to }) => ({ from: gap_from, to: gap_to }))
    },
  }
}
