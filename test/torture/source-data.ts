import pg from 'pg'
import { migrate } from '../../src/postgres/migrate.ts'
import { seedServices } from '../../src/postgres/seed/seed-services.ts'
import type { KillablePostgres } from '../support/killable-postgres.ts'

/** The day that all of it happens on. */
export const day = Date.parse('2014-07-22T00:00:00.000Z')
export const hourMs = 3_600_000

/** Of 20 KB each: 9 MB an hour, evenly spread. Large documents cost little to make and to read. */
const paddedServices = 24 * 450
/** As they occur, with states, tasks and oddities. */
const ordinaryServices = 3000

/** A third is open, the others take up to two hours; each differs from all others in every line. */
const insertPadded = `
  insert into context_services.services
    (service_id, service_type, started_at, started, completed_at, completed, disposition, extensions)
  select 'padded-' || n, (100 + n % 5)::text, at, '{"media_type": "web", "resource_id": 20}',
    case when n % 3 > 0 then at + (n % 8) * interval '17 minutes' + interval '1.5 seconds' end,
    case when n % 3 > 0 then '{"session_id": "s"}'::jsonb end,
    case when n % 3 > 0 then 'done' end,
    jsonb_build_object('padding', repeat(md5(n::text), 625), 'number', n)
  from (select n, $1::timestamptz + n * interval '1 day' / $2 as at
        from generate_series(0, $2::integer - 1) n) as services`

/** Makes and fills the reference tables; the same every time. */
export async function fillSource({ url }: Pick<KillablePostgres, 'url'>): Promise<void> {
  await migrate(url, { referenceSchema: true })
  const client = new pg.Client({ connectionString: url, application_name: 'torture' })
  await client.connect()
  try {
    const [from, to] = [new Date(day), new Date(day + 24 * hourMs)]
    await seedServices(client, { services: ordinaryServices, seed: 1, from, to })
    await client.query(insertPadded, [from, paddedServices])
    await client.query('vacuum (analyze) context_services.services')
    // what a kill leaves to be done again is little
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}
