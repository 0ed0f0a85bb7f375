import type pg from 'pg'
import { seedServices } from '../../../src/postgres/seed/seed-services.ts'

/** What is exported: a source database of its own, and a request for all of it. */
export interface Workload {
  readonly name: string
  /** The database it reads; two workloads may share one. */
  readonly database: string
  readonly content: boolean
  readonly services: number
  /** Fills the reference tables. */
  readonly fill: (client: pg.Client) => Promise<unknown>
}

/** Services of a month, evenly spread, without states and tasks, with so many bytes of extensions. */
const insertFlat = `
  insert into context_services.services
    (service_id, service_type, customer_id, started_at, started, completed_at, completed, disposition, extensions)
  select 'flat-' || md5(n::text), (100 + n % 5)::text, 'customer-' || n % 10007,
    at, '{"media_type": "web", "resource_id": 20}',
    at + (n % 8) * interval '17 minutes', '{"session_id": "s"}', 'done',
    jsonb_build_object('number', n, 'padding', repeat(md5(n::text), $2::integer / 32))
  from (select n, timestamptz '2014-07-01T00:00:00Z' + n * interval '31 days' / $1 as at
        from generate_series(0, $1::integer - 1) n) as services`

async function fillFlat(client: pg.Client, services: number, bytes: number): Promise<void> {
  await client.query(insertFlat, [services, bytes])
  await client.query('vacuum (analyze) context_services.services')
}

/** @param scale of the number of services; 1 is what the targets are for */
export function createWorkloads(scale: number): readonly Workload[] {
  const scaled = (services: number) => Math.max(1000, Math.round(services * scale))
  const flat = { services: scaled(1_000_000), database: 'bench_flat' }
  const [nested, large] = [scaled(200_000), scaled(20_000)]
  return [
    { ...flat, name: 'ids', content: false, fill: (c) => fillFlat(c, flat.services, 320) },
    { ...flat, name: 'content', content: true, fill: (c) => fillFlat(c, flat.services, 320) },
    {
      ...{ name: 'nested', database: 'bench_nested', content: true, services: nested },
      fill: (client) => seedServices(client, { services: nested, seed: 1 }),
    },
    {
      ...{ name: 'large', database: 'bench_large', content: true, services: large },
      fill: (client) => fillFlat(client, large, 20_000),
    },
  ]
}
