/**
 * The documented way without an export: all ids, then one query for each service, here of so many of
 * them. A program of its own; prints what it took, scaled to all, as JSON.
 */
import pg from 'pg'
import { everything } from '../bench-stack.ts'

const { SOURCE_DATABASE_URL, SAMPLE = '2000' } = process.env

const client = new pg.Client({ connectionString: SOURCE_DATABASE_URL })
await client.connect()
const idsAt = performance.now()
const { rows: ids } = await client.query<{ service_id: string }>(
  `select service_id from context_services.services
   where started_at >= $1 and started_at < $2 order by started_at, service_id collate "C"`,
  [everything.time_from, everything.time_to],
)
const idsSeconds = (performance.now() - idsAt) / 1000

const every = Math.max(1, Math.floor(ids.length / Number(SAMPLE)))
const sample = ids.filter((_, n) => n % every === 0)
const sampleAt = performance.now()
let bytes = 0
for (const { service_id } of sample) {
  const rows = async (table: string) => {
    const text = `select * from context_services.${table} where service_id = $1`
    return (await client.query<object>(text, [service_id])).rows
  }
  const [service] = await rows('services')
  const document = { ...service, states: await rows('states'), tasks: await rows('tasks') }
  bytes += Buffer.byteLength(JSON.stringify(document))
}
const sampleSeconds = (performance.now() - sampleAt) / 1000
await client.end()
const scaled = idsSeconds + (sampleSeconds * ids.length) / sample.length
process.stdout.write(`${JSON.stringify({ seconds: scaled, sampled: sample.length, bytes })}\n`)
