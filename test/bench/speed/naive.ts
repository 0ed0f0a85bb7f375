/**
 * What a hand-written loop does: rows as objects from pg-query-stream, JSON.stringify for each, and
 * lib-storage with its defaults. A program of its own; prints what it took, as JSON.
 */
import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import pg from 'pg'
import QueryStream from 'pg-query-stream'
import { everything } from '../bench-stack.ts'

const { SOURCE_DATABASE_URL, S3_BUCKET, S3_ENDPOINT, S3_REGION, CONTENT } = process.env

const nested = (table: string, id: string) =>
  `(select coalesce(json_agg(x order by x.started_at, x.${id}), '[]')
    from context_services.${table} x where x.service_id = s.service_id) as ${table}`
const columns =
  CONTENT === 'true'
    ? `s.*, ${nested('states', 'state_id')}, ${nested('tasks', 'task_id')}`
    : 's.service_id'

const startedAt = performance.now()
const client = new pg.Client({ connectionString: SOURCE_DATABASE_URL })
await client.connect()
const rows = client.query(
  new QueryStream(
    `select ${columns} from context_services.services s
     where s.started_at >= $1 and s.started_at < $2 order by s.started_at, s.service_id collate "C"`,
    [everything.time_from, everything.time_to],
  ),
)

async function* json() {
  let lead = '['
  for await (const row of rows) {
    yield lead + JSON.stringify(row)
    lead = ',\n'
  }
  yield lead === '[' ? '[]' : ']'
}

const store = new S3Client({
  forcePathStyle: true,
  ...(S3_ENDPOINT === undefined ? {} : { endpoint: S3_ENDPOINT }),
  ...(S3_REGION === undefined ? {} : { region: S3_REGION }),
})
const body = Readable.from(json(), { objectMode: false })
const upload = new Upload({
  client: store,
  params: { Bucket: S3_BUCKET, Key: 'bench/naive.json', Body: body },
})
await upload.done()
const seconds = (performance.now() - startedAt) / 1000
await client.end()
process.stdout.write(`${JSON.stringify({ seconds })}\n`)
