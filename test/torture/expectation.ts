import { artifactSql } from '../support/artifact-sql.ts'
import type { KnownRequest } from './requests.ts'
import type { KillablePostgres } from '../support/killable-postgres.ts'

/** What the artifact of a request must be. */
export interface Expectation {
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

/** Worked out by the source itself, with a statement that has nothing of Longhaul's. */
export async function expectationOf(
  source: KillablePostgres,
  { body }: KnownRequest,
): Promise<Expectation> {
  const { time_from, time_to, filter_events, filter_state, export_content } = body
  const query = {
    ...{ from: time_from, to: time_to, events: filter_events },
    ...{ state: filter_state, content: export_content },
  }
  const [found] = await source.query<{ bytes: number; sha256: string }>(
    `select octet_length(body) as bytes, encode(sha256(convert_to(body, 'UTF8')), 'hex') as sha256
     from (${artifactSql(query)}) as artifact (body)`,
  )
  const [counted] = await source.query<{ rows: number }>(
    `select count(*)::integer as rows from context_services.services
     where (($3 <> 'completed' and started_at >= $1 and started_at < $2)
         or ($3 <> 'started' and completed_at >= $1 and completed_at < $2))
       and ($4 = 'any' or (completed_at is null) = ($4 = 'active'))`,
    [time_from, time_to, filter_events, filter_state],
  )
  return { rows: counted!.rows, ...found! }
}
