import { connect } from '../../../src/postgres/pool.ts'

/**
 * Records of exports that are over, as half a year of fifty keys would leave them; without their objects, which no
 * status looks at. @returns ids of 2,000 completed ones, whose answers cost
 * most: a link is signed for each
 */
export async function insertRecords(
  databaseUrl: string,
  count: number,
): Promise<readonly string[]> {
  const client = await connect(databaseUrl, 'control database')
  await client.query(
    `insert into longhaul.exports (id, dataset, range_from, range_to, filter_events, export_content, filter_state,
       state, attempt, rows, bytes, estimated_rows, fingerprint, requested_by, error, artifact, expires_at,
       created_at, started_at, finished_at, snapshot_at, history)
     select gen_random_uuid(), 'services', at - interval '1 day', at, 'any', true, 'any',
       state, 1, n, n * 1000, n, md5(n::text) || md5(n::text), 'key-' || n % 50,
       case when state = 'failed' then '{"code":"SOURCE_UNAVAILABLE","message":"The source is away.","retryable":true}'::jsonb end,
       case when state in ('completed', 'expired') then jsonb_build_object('key', 'exports/' || n || '.json', 'bytes',
         n * 1000, 'rows', n, 'sha256', md5(n::text) || md5(n::text), 'etag', '"' || md5(n::text) || '"',
         'contentType', 'application/json') end,
       case when state in ('completed', 'expired') then at + interval '7 days' end, at, at, at + interval '1 minute', at,
       jsonb_build_array(jsonb_build_object('attempt', 1, 'outcome', case when state = 'expired' then 'completed' else state end,
         'startedAt', at, 'endedAt', at + interval '1 minute', 'rows', n))
     from (
       select n, now() - n * interval '160 seconds' as at,
         case when n % 20 = 0 then 'failed' when n % 33 = 0 then 'canceled'
              when n * 160 < 7 * 86400 then 'completed' else 'expired' end as state
       from generate_series(1, $1::integer) n) as made`,
    [count],
  )
  await client.query('analyze longhaul.exports')
  const { rows } = await client.query<{ id: string }>(
    `select id from longhaul.exports where state = 'completed' order by id limit 2000`,
  )
  await client.end()
  return rows.map(({ id }) => id)
}
