import type { UnfinishedCount } from '../export/model.ts'
import type { Query } from './pool.ts'

/** Counts exports that have not finished, by an index that holds hardly more than those. @throws SourceError */
export async function countUnfinished(query: Query): Promise<readonly UnfinishedCount[]> {
  const { rows } = await query<UnfinishedCount>(
    `select dataset, case when state = 'queued' and held_back then 'held_back' else state end as state,
       count(*)::integer as count,
       greatest(0, extract(epoch from now() - min(created_at)))::double precision as "oldestSeconds"
     from longhaul.exports
     where state in ('queued', 'running')
     group by 1, 2`,
  )
  return rows
}
